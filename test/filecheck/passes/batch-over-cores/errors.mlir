// RUN: ax-opt %s -p 'batch-over-cores{aipu-cores-used=2 multicore-mode=batch}' --split-input-file --verify-diagnostics
// RUN: not ax-opt %s -p 'batch-over-cores{aipu-cores-used=9 multicore-mode=batch}' --split-input-file 2>&1 | filecheck %s
// CHECK: aipu_cores_used is 9, metis has 4 cores

// expected-error@below {{the program has addresses already}}
aipu.program "planned" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %a = aipu.buffer "a" bytes 64 at 0 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l1 %a[0], dst = l1 %a[0]) {row_bytes = 64} layer 0
  }
}

// -----

// expected-error@below {{a batch has no copies of the system DMA}}
aipu.program "staged" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 64 data dense<1> : tensor<64xi8> : !aipu.buffer<ddr>
  %s = aipu.buffer "s" bytes 64 : !aipu.buffer<l2>
  aipu.core 0 {
    %0 = aipu.dma on sysdma(src = ddr %w[0], dst = l2 %s[0]) {row_bytes = 64} layer 0
  }
}
