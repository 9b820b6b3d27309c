// RUN: ax-opt %s -p 'plan-memory{l1-constraint=1024}' | filecheck %s
// RUN: ax-opt %s -p plan-memory | filecheck %s --check-prefix=ROOMY
// RUN: not ax-opt %s -p 'plan-memory{l1-constraint=1000}' 2>&1 | filecheck %s --check-prefix=SMALL

// %a is done before %c begins: they share bytes. %b lives beside both.
aipu.program "main" target "metis" layers [#aipu.layer<"first", "copy", "dma", 0>, #aipu.layer<"second", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 512 data dense<1> : tensor<512xi8> : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 512 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 512 : !aipu.buffer<l1>
  %c = aipu.buffer "c" bytes 512 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 512} layer 0
    %1 = aipu.dma on dma0(src = l1 %a[0], dst = l1 %b[0]) {row_bytes = 512} layer 0
    %2 = aipu.dma on dma0(src = l1 %b[0], dst = l1 %c[0]) {row_bytes = 512} layer 1
  }
}

// CHECK: aipu.buffer "w" bytes 512 at 0 data
// CHECK-NEXT: aipu.buffer "a" bytes 512 at [[A:[0-9]+]]
// CHECK-NEXT: aipu.buffer "b" bytes 512 at
// CHECK-NEXT: aipu.buffer "c" bytes 512 at [[A]]

// With memory to spare lifetimes are stretched, so that the last copy need not wait until %a has been read.
// ROOMY: aipu.buffer "a" bytes 512 at 0
// ROOMY-NEXT: aipu.buffer "b" bytes 512 at 512
// ROOMY-NEXT: aipu.buffer "c" bytes 512 at 1024

// SMALL: error: [first] the buffers do not fit l1: 1,024 bytes needed, 1,000 allowed (24 too many)
// SMALL: note: alive there (1,024 bytes): a 512, b 512
// SMALL: note: raise l1_constraint or resources_used
