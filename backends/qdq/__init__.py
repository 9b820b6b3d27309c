"""The quantized graph as ONNX with QuantizeLinear and DequantizeLinear."""
