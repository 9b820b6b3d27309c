// RUN: ax-opt %s --split-input-file -p schedule | filecheck %s

// The weight sets are a memory: a load waits until the array has read the rows it overwrites, not for other rows. Two
// readers of the same bytes wait for none.
aipu.program "sets" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %w = aipu.buffer "w" bytes 4096 at 0 data dense<1> : tensor<4096xi8> : !aipu.buffer<l1>
  %x = aipu.buffer "x" bytes 1024 at 8192 data dense<1> : tensor<1024xi8> : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 1024 at 16384 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.load on load(src = l1 %w[0]) {row = 0, segment_rows = 64, columns = 64} layer 0
    %1 = aipu.mvm on array(src = l1 %x[0], out = l1 %y[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, row = 0, matrix_rows = 64, columns = 1} layer 0
    %2 = aipu.load on load(src = l1 %w[0]) {row = 512, segment_rows = 64, columns = 64} layer 0
    %3 = aipu.load on load(src = l1 %w[0]) {row = 32, segment_rows = 8, columns = 64} layer 0
    %4 = aipu.load on load(src = l1 %w[0]) {row = 64, segment_rows = 8, columns = 64, clear = 1} layer 0
  }
}
// CHECK-LABEL: aipu.program "sets"
// CHECK: %[[L:.*]] = aipu.load {{.*}} layer 0{{$}}
// CHECK-NEXT: %[[M:.*]] = aipu.mvm {{.*}} after(%[[L]])
// CHECK-NEXT: aipu.load on load({{.*}}) {row = 512, {{.*}} layer 0{{$}}
// CHECK-NEXT: aipu.load on load({{.*}}) {row = 32, {{.*}} after(%[[M]])
// The queue is in order, and this one has waited already.
// CHECK-NEXT: aipu.load on load({{.*}}) {row = 64, {{.*}} clear = 1} layer 0{{$}}

// -----

// Clearing touches the whole set, beyond the rows that are written.
aipu.program "clear" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %w = aipu.buffer "w" bytes 4096 at 0 data dense<1> : tensor<4096xi8> : !aipu.buffer<l1>
  %x = aipu.buffer "x" bytes 1024 at 8192 data dense<1> : tensor<1024xi8> : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 1024 at 16384 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.mvm on array(src = l1 %x[0], out = l1 %y[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, row = 0, matrix_rows = 64, columns = 1} layer 0
    %1 = aipu.load on load(src = l1 %w[0]) {row = 128, segment_rows = 8, columns = 64} layer 0
    %2 = aipu.load on load(src = l1 %w[0]) {row = 128, segment_rows = 8, columns = 64, clear = 1} layer 0
  }
}
// CHECK-LABEL: aipu.program "clear"
// CHECK: %[[M:.*]] = aipu.mvm {{.*}} layer 0{{$}}
// CHECK-NEXT: aipu.load {{.*}} layer 0{{$}}
// CHECK-NEXT: aipu.load {{.*}} clear = 1} layer 0 after(%[[M]])

// -----

// Bytes, not buffers, conflict: the two halves of %a are free of each other, and %b shares bytes with the second.
aipu.program "bytes" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 512 at 0 data dense<1> : tensor<512xi8> : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 512 at 0 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 256 at 256 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 256} layer 0
    %1 = aipu.dma on dma1(src = l2 %w[0], dst = l1 %a[256]) {row_bytes = 256} layer 0
    %2 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %b[0]) {row_bytes = 64} layer 0
  }
}
// CHECK-LABEL: aipu.program "bytes"
// CHECK: aipu.dma on dma0({{.*}} layer 0{{$}}
// CHECK-NEXT: %[[S:.*]] = aipu.dma on dma1({{.*}} layer 0{{$}}
// CHECK-NEXT: aipu.dma on dma0({{.*}} after(%[[S]])

// -----

// Tokens that were there are replaced.
aipu.program "again" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 512 at 0 data dense<1> : tensor<512xi8> : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 512 at 0 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 256} layer 0
    %1 = aipu.dma on dma1(src = l2 %w[0], dst = l1 %a[256]) {row_bytes = 256} layer 0 after(%0)
  }
}
// CHECK-LABEL: aipu.program "again"
// CHECK: aipu.dma on dma1({{.*}} layer 0{{$}}
