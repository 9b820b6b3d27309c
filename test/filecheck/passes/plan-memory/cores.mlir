// RUN: ax-opt %s --split-input-file -p 'plan-memory{page-memory=false}' | filecheck %s

// What is private to a core lies in a block of its own in L2: %p of core 0 and %q of core 1 live at different times and
// share no bytes all the same. What both touch shares bytes over time: %e and %f.
aipu.program "blocks" target "metis" mode "cooperative" layers [#aipu.layer<"l", "copy", "dma", 0>, #aipu.layer<"m", "copy", "dma", 0>, #aipu.layer<"n", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 128 data dense<1> : tensor<128xi8> : !aipu.buffer<l2>
  %p = aipu.buffer "p" bytes 128 : !aipu.buffer<l2>
  %p2 = aipu.buffer "p2" bytes 128 : !aipu.buffer<l2>
  %q = aipu.buffer "q" bytes 128 : !aipu.buffer<l2>
  %e = aipu.buffer "e" bytes 64 : !aipu.buffer<l2>
  %f = aipu.buffer "f" bytes 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 128 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 128 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l2 %p[0]) {row_bytes = 128} layer 0
    %1 = aipu.dma on dma0(src = l2 %p[0], dst = l1 %a[0]) {row_bytes = 128} layer 0
    %2 = aipu.dma on dma0(src = l1 %a[0], dst = l2 %e[0]) {row_bytes = 64} layer 0
    %3 = aipu.dma on dma0(src = l2 %w[0], dst = l2 %p2[0]) {row_bytes = 128} layer 2
    %4 = aipu.dma on dma0(src = l2 %w[0], dst = l2 %f[0]) {row_bytes = 64} layer 2
  }
  aipu.core 1 {
    %5 = aipu.dma on dma0(src = l2 %e[0], dst = l1 %b[0]) {row_bytes = 64} layer 1
    %6 = aipu.dma on dma0(src = l2 %w[0], dst = l2 %q[0]) {row_bytes = 128} layer 1
    %7 = aipu.dma on dma0(src = l2 %f[0], dst = l1 %b[0]) {row_bytes = 64} layer 2
  }
}
// CHECK-LABEL: aipu.program "blocks"
// CHECK: "w" bytes 128 at 0 data
// CHECK-NEXT: "p" bytes 128 at 128
// CHECK-NEXT: "p2" bytes 128 at 256
// CHECK-NEXT: "q" bytes 128 at 384
// CHECK-NEXT: "e" bytes 64 at 512
// CHECK-NEXT: "f" bytes 64 at 576
// Every core has an L1 of its own.
// CHECK-NEXT: "a" bytes 128 at 0
// CHECK-NEXT: "b" bytes 128 at 0

// -----

// The stages of a pipeline work on different frames: what passes between them lives all the time, and is there twice.
aipu.program "stages" target "metis" mode "pipeline" layers [#aipu.layer<"l", "copy", "dma", 0>, #aipu.layer<"m", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 128 data dense<1> : tensor<128xi8> : !aipu.buffer<l2>
  %e = aipu.buffer "e" bytes 64 : !aipu.buffer<l2>
  %f = aipu.buffer "f" bytes 128 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 128 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l2 %e[0]) {row_bytes = 64} layer 0
  }
  aipu.core 1 {
    %1 = aipu.dma on dma0(src = l2 %e[0], dst = l1 %a[0]) {row_bytes = 64} layer 0
    %2 = aipu.dma on dma0(src = l1 %a[0], dst = l2 %f[0]) {row_bytes = 64} layer 1
  }
}
// CHECK-LABEL: aipu.program "stages"
// CHECK-SAME: second_set = {l2 = 64 : i64}

// -----

// A buffer that is in the L1 of several cores has one address in all of them.
aipu.program "batch" target "metis" mode "batch" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 128 data dense<1> : tensor<128xi8> : !aipu.buffer<ddr>
  %a = aipu.buffer "a" bytes 128 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 128 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = ddr %w[0], dst = l1 %a[0]) {row_bytes = 128, cores = 3} layer 0
    %1 = aipu.dma on dma0(src = l1 %a[0], dst = l1 %b[0]) {row_bytes = 128} layer 0
  }
  aipu.core 1 {
    %2 = aipu.dma on dma0(src = l1 %a[0], dst = l1 %b[0]) {row_bytes = 128} layer 0
  }
}
// CHECK-LABEL: aipu.program "batch"
// CHECK: "a" bytes 128 at 0
// CHECK-NEXT: "b" bytes 128 at 128
