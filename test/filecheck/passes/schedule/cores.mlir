// RUN: ax-opt %s --split-input-file -p schedule | filecheck %s

// Core 1 reads what core 0 writes, and waits for the count of its queue; L1 of one core is not that of another.
aipu.program "meet" target "metis" mode "cooperative" layers [#aipu.layer<"l", "copy", "dma", 0>, #aipu.layer<"m", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 256 at 0 data dense<1> : tensor<256xi8> : !aipu.buffer<l2>
  %e = aipu.buffer "e" bytes 256 at 256 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 256 at 0 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 256 at 0 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 256} layer 0
    %1 = aipu.dma on dma1(src = l1 %a[0], dst = l2 %e[0]) {row_bytes = 256} layer 0
  }
  aipu.core 1 {
    %2 = aipu.dma on dma1(src = l2 %w[0], dst = l1 %b[64]) {row_bytes = 64} layer 0
    %3 = aipu.dma on dma0(src = l2 %e[0], dst = l1 %b[0]) {row_bytes = 128} layer 1
  }
}
// CHECK-LABEL: aipu.program "meet"
// CHECK: aipu.core 0 {
// CHECK-NEXT: %[[A:.*]] = aipu.dma on dma0({{.*}} layer 0{{$}}
// CHECK-NEXT: aipu.dma on dma1({{.*}} layer 0 after(%[[A]])
// CHECK: aipu.core 1 {
// CHECK-NEXT: %[[B:.*]] = aipu.dma on dma1({{.*}} layer 0{{$}}
// CHECK-NEXT: aipu.dma on dma0({{.*}} layer 1 after({{.*}}core 0 dma1 1{{.*}})

// -----

// Bytes of one core that another has read are written again only when it has: waits go both ways. What is implied by
// another wait is left out.
aipu.program "again" target "metis" mode "cooperative" layers [#aipu.layer<"l", "copy", "dma", 0>, #aipu.layer<"m", "copy", "dma", 0>, #aipu.layer<"n", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 64 at 0 data dense<1> : tensor<64xi8> : !aipu.buffer<l2>
  %e = aipu.buffer "e" bytes 64 at 64 : !aipu.buffer<l2>
  %f = aipu.buffer "f" bytes 64 at 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 at 0 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l2 %e[0]) {row_bytes = 64} layer 0
    %1 = aipu.dma on dma0(src = l2 %w[0], dst = l2 %f[0]) {row_bytes = 64} layer 2
  }
  aipu.core 1 {
    %2 = aipu.dma on dma0(src = l2 %e[0], dst = l1 %a[0]) {row_bytes = 64} layer 1
    %3 = aipu.dma on dma0(src = l2 %f[0], dst = l1 %a[0]) {row_bytes = 64} layer 2
  }
}
// CHECK-LABEL: aipu.program "again"
// CHECK: aipu.core 0 {
// CHECK-NEXT: aipu.dma on dma0({{.*}} layer 0{{$}}
// CHECK-NEXT: aipu.dma on dma0({{.*}} layer 2 after(core 1 dma0 1)
// CHECK: aipu.core 1 {
// CHECK-NEXT: aipu.dma on dma0({{.*}} layer 1 after(core 0 dma0 1)
// CHECK-NEXT: aipu.dma on dma0({{.*}} layer 2 after(core 0 dma0 2)

// -----

// A multicast writes the L1 of all cores that it names: it waits for their readers, and they for it.
aipu.program "fed" target "metis" mode "batch" layers [#aipu.layer<"l", "conv", "array", 0>, #aipu.layer<"m", "conv", "array", 0>] {
  %w = aipu.buffer "w" bytes 4096 at 0 data dense<1> : tensor<4096xi8> : !aipu.buffer<ddr>
  %a = aipu.buffer "a" bytes 4096 at 0 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 4096 at 0 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = ddr %w[0], dst = l1 %a[0]) {row_bytes = 4096, cores = 3} layer 0
    %1 = aipu.load on load(src = l1 %a[0]) {row = 0, segment_rows = 64, columns = 64} layer 0
    %2 = aipu.dma on dma0(src = ddr %w[0], dst = l1 %b[0]) {row_bytes = 4096, cores = 3} layer 1
    %3 = aipu.load on load(src = l1 %b[0]) {row = 64, segment_rows = 64, columns = 64} layer 1
  }
  aipu.core 1 {
    %4 = aipu.load on load(src = l1 %a[0]) {row = 0, segment_rows = 64, columns = 64} layer 0
    %5 = aipu.load on load(src = l1 %b[0]) {row = 64, segment_rows = 64, columns = 64} layer 1
  }
}
// CHECK-LABEL: aipu.program "fed"
// CHECK: aipu.core 0 {
// CHECK-NEXT: %[[C:.*]] = aipu.dma on dma0({{.*}} layer 0{{$}}
// CHECK-NEXT: %[[L:.*]] = aipu.load on load({{.*}} layer 0 after(%[[C]])
// CHECK-NEXT: %[[D:.*]] = aipu.dma on dma0({{.*}} layer 1 after(%[[L]], core 1 load 1)
// CHECK-NEXT: aipu.load on load({{.*}} layer 1 after(%[[D]])
// CHECK: aipu.core 1 {
// CHECK-NEXT: aipu.load on load({{.*}} layer 0 after(core 0 dma0 1)
// CHECK-NEXT: aipu.load on load({{.*}} layer 1 after(core 0 dma0 2)

// -----

// More queues to wait for than a descriptor names: a sync on the same queue takes the first eight.
aipu.program "many" target "metis" mode "batch" layers [#aipu.layer<"l", "copy", "dma", 0>, #aipu.layer<"m", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 64 at 0 data dense<1> : tensor<64xi8> : !aipu.buffer<ddr>
  %o = aipu.buffer "o" bytes 768 at 64 : !aipu.buffer<ddr>
  %a = aipu.buffer "a" bytes 768 at 0 data dense<1> : tensor<768xi8> : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 768 at 0 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma1(src = l1 %a[0], dst = ddr %o[0]) {row_bytes = 64} layer 0
    %1 = aipu.vec on depthwise(src = l1 %a[0], out = l1 %a[64]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1} layer 0
    %2 = aipu.load on load(src = l1 %a[0]) {row = 0, segment_rows = 1, columns = 64} layer 0
    %3 = aipu.dma on dma0(src = ddr %w[0], dst = l1 %b[0]) {row_bytes = 64, cores = 15} layer 1
  }
  aipu.core 1 {
    %4 = aipu.dma on dma1(src = l1 %a[0], dst = ddr %o[64]) {row_bytes = 64} layer 0
    %5 = aipu.vec on depthwise(src = l1 %a[0], out = l1 %a[64]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1} layer 0
    %6 = aipu.load on load(src = l1 %a[0]) {row = 0, segment_rows = 1, columns = 64} layer 0
  }
  aipu.core 2 {
    %7 = aipu.dma on dma1(src = l1 %a[0], dst = ddr %o[128]) {row_bytes = 64} layer 0
    %8 = aipu.vec on depthwise(src = l1 %a[0], out = l1 %a[64]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1} layer 0
    %9 = aipu.load on load(src = l1 %a[0]) {row = 0, segment_rows = 1, columns = 64} layer 0
  }
  aipu.core 3 {
    %10 = aipu.dma on dma1(src = l1 %a[0], dst = ddr %o[192]) {row_bytes = 64} layer 0
    %11 = aipu.load on load(src = l1 %a[0]) {row = 0, segment_rows = 1, columns = 64} layer 0
  }
}
// CHECK-LABEL: aipu.program "many"
// CHECK: aipu.sync on dma0 layer 1 after(
// CHECK-NEXT: aipu.dma on dma0({{.*}} cores = 15} layer 1 after(
