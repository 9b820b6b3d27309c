// RUN: ax-opt %s -p 'plan-memory{l1-constraint=1024 l2-constraint=1536}' | filecheck %s
// RUN: ax-opt %s -p 'plan-memory{l1-constraint=1536 l2-constraint=1536}' | filecheck %s --check-prefix STRETCHED
// RUN: not ax-opt %s -p 'plan-memory{l2-constraint=1024}' 2>&1 | filecheck %s --check-prefix SMALL
// RUN: not ax-opt %s -p 'plan-memory{resources-used=0.00004}' 2>&1 | filecheck %s --check-prefix SHARE

aipu.program "main" target "metis" layers [#aipu.layer<"first", "copy", "dma", 0>, #aipu.layer<"second", "copy", "dma", 0>, #aipu.layer<"third", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 512 data dense<1> : tensor<512xi8> : !aipu.buffer<l2>
  %x = aipu.buffer "x" bytes 512 : !aipu.buffer<l2>
  %y = aipu.buffer "y" bytes 512 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 512 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 512 : !aipu.buffer<l1>
  %c = aipu.buffer "c" bytes 512 : !aipu.buffer<l1>
  aipu.input "x" %x[0] layout <rows 512, pixels 64, channels [1 at 0]> tensor tensor<1x1x1x8x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  aipu.output "y" %y[0] layout <rows 512, pixels 64, channels [1 at 0]> tensor tensor<1x1x1x8x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 512} layer 0
    %1 = aipu.dma on dma0(src = l1 %a[0], dst = l1 %b[0]) {row_bytes = 512} layer 1
    %2 = aipu.dma on dma0(src = l1 %b[0], dst = l1 %c[0]) {row_bytes = 512} layer 1
    %3 = aipu.dma on dma1(src = l1 %c[0], dst = l2 %y[0]) {row_bytes = 512} layer 2
  }
}

// The input, the output and the constant, which no task reads, live all the time.
// CHECK: aipu.buffer "w" bytes 512 at [[W:[0-9]+]] data
// CHECK-NOT: aipu.buffer {{.*}} at [[W]] : !aipu.buffer<l2>
// CHECK: aipu.buffer "x" bytes 512 at [[X:[0-9]+]]
// CHECK-NOT: at [[X]] : !aipu.buffer<l2>
// CHECK: aipu.buffer "y" bytes 512
// In L1 a is done before c begins.
// CHECK: aipu.buffer "a" bytes 512 at [[A:[0-9]+]]
// CHECK: aipu.buffer "c" bytes 512 at [[A]]

// Room for all three: none waits for another one's end.
// STRETCHED: aipu.buffer "a" bytes 512 at 0
// STRETCHED-NEXT: aipu.buffer "b" bytes 512 at 512
// STRETCHED-NEXT: aipu.buffer "c" bytes 512 at 1024

// SMALL: lifetimes.mlir:6:1: error: [first] the buffers do not fit l2: 1,536 bytes needed, 1,024 allowed (512 too many)
// SMALL-NEXT: note: alive there (1,536 bytes): x 512, y 512, w 512
// SMALL-NEXT: note: raise l2_constraint or resources_used

// SHARE: error: [first] the buffers do not fit l2: 1,536 bytes needed, {{1,2[0-9]+}} allowed
