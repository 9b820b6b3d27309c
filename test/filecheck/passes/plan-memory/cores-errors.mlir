// RUN: ax-opt %s -p 'plan-memory{l2-constraint=256 page-memory=false}' --split-input-file --verify-diagnostics
// RUN: not ax-opt %s -p 'plan-memory{l2-constraint=256 page-memory=false}' --split-input-file 2>&1 | filecheck %s

// The message is about all cores, the note about the one that needs most.
// CHECK: note: alive there by core 1 (192 bytes): q 192
// expected-error@below {{the buffers do not fit l2: 384 bytes needed, 256 allowed (128 too many)}}
aipu.program "blocks" target "metis" mode "cooperative" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 64 data dense<1> : tensor<64xi8> : !aipu.buffer<l2>
  %p = aipu.buffer "p" bytes 128 : !aipu.buffer<l2>
  %q = aipu.buffer "q" bytes 192 : !aipu.buffer<l2>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l2 %p[0]) {row_bytes = 64} layer 0
  }
  aipu.core 1 {
    %1 = aipu.dma on dma0(src = l2 %w[0], dst = l2 %q[0]) {row_bytes = 64} layer 0
  }
}

// -----

// Two cores read what the other has yet to write.
aipu.program "circle" target "metis" mode "cooperative" layers [#aipu.layer<"l", "exchange", "dma", 0>] {
  %p = aipu.buffer "p" bytes 64 : !aipu.buffer<l2>
  %q = aipu.buffer "q" bytes 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<l1>
  aipu.core 0 {
    // expected-error@below {{the cores wait for each other's bytes in a circle}}
    %0 = aipu.dma on dma0(src = l2 %q[0], dst = l1 %a[0]) {row_bytes = 64} layer 0
    %1 = aipu.dma on dma0(src = l1 %a[0], dst = l2 %p[0]) {row_bytes = 64} layer 0
  }
  aipu.core 1 {
    %2 = aipu.dma on dma0(src = l2 %p[0], dst = l1 %a[0]) {row_bytes = 64} layer 0
    %3 = aipu.dma on dma0(src = l1 %a[0], dst = l2 %q[0]) {row_bytes = 64} layer 0
  }
}
