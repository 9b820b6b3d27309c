"""The back end of the device: encoder, program image, disassembler and device model (docs/isa.md)."""
