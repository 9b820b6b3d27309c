// RUN: ax-opt %s --split-input-file -p 'list-schedule{use-list-scheduler=true}' | filecheck %s
// RUN: ax-opt %s --split-input-file -p 'list-schedule{use-list-scheduler=true l1-constraint=1024}' | filecheck %s --check-prefix TIGHT
// RUN: ax-opt %s --split-input-file -p list-schedule | filecheck %s --check-prefix OFF

// The store and the second fetch have nothing to do with each other: the fetch, on which more depends, comes first, and
// on the channel that is free. Where both buffers do not fit at a time, it waits. Old tokens go.
aipu.program "fetch" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %v = aipu.buffer "v" bytes 1024 data dense<2> : tensor<1024xi8> : !aipu.buffer<l2>
  %w = aipu.buffer "w" bytes 1024 data dense<1> : tensor<1024xi8> : !aipu.buffer<l2>
  %y = aipu.buffer "y" bytes 1024 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 1024 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 1024 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %v[0], dst = l1 %a[0]) {row_bytes = 1024} layer 0
    %1 = aipu.load on load(src = l1 %a[0]) {row = 0, segment_rows = 16, columns = 64} layer 0 after(%0)
    %2 = aipu.dma on dma1(src = l1 %a[0], dst = l2 %y[0]) {row_bytes = 1024} layer 0 after(%1)
    %3 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %b[0]) {row_bytes = 1024} layer 0 after(%2)
    %4 = aipu.load on load(src = l1 %b[0]) {row = 512, segment_rows = 16, columns = 64} layer 0 after(%3)
  }
}
// CHECK-LABEL: aipu.program "fetch"
// CHECK: aipu.dma on dma0(src = l2 %v[0], dst = l1 %a[0]) {row_bytes = 1024} layer 0{{$}}
// CHECK-NEXT: aipu.dma on dma1(src = l2 %w[0], dst = l1 %b[0]) {row_bytes = 1024} layer 0{{$}}
// CHECK-DAG: aipu.load on load(src = l1 %a[0]) {row = 0, segment_rows = 16, columns = 64} layer 0{{$}}
// CHECK-DAG: aipu.load on load(src = l1 %b[0]) {row = 512, segment_rows = 16, columns = 64} layer 0{{$}}
// CHECK-DAG: aipu.dma on dma{{[01]}}(src = l1 %a[0], dst = l2 %y[0])
// TIGHT-LABEL: aipu.program "fetch"
// TIGHT: aipu.dma on dma0(src = l2 %v[0]
// TIGHT: aipu.dma on dma{{[01]}}(src = l1 %a[0], dst = l2 %y[0])
// TIGHT: aipu.dma on dma{{[01]}}(src = l2 %w[0]
// OFF-LABEL: aipu.program "fetch"
// OFF: aipu.dma on dma0(src = l2 %v[0]
// OFF-NEXT: aipu.load {{.*}} after(%0)
// OFF-NEXT: aipu.dma on dma1{{.*}} after(%1)
// OFF-NEXT: aipu.dma on dma0(src = l2 %w[0]{{.*}} after(%2)

// -----

// The same bytes, or the same rows of the weight sets: the order stays.
aipu.program "same" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %v = aipu.buffer "v" bytes 1024 data dense<2> : tensor<1024xi8> : !aipu.buffer<l2>
  %w = aipu.buffer "w" bytes 1024 data dense<1> : tensor<1024xi8> : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 1024 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %v[0], dst = l1 %a[0]) {row_bytes = 1024} layer 0
    %1 = aipu.load on load(src = l1 %a[0]) {row = 0, segment_rows = 16, columns = 64} layer 0
    %2 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 1024} layer 0
    %3 = aipu.load on load(src = l1 %a[0]) {row = 8, segment_rows = 16, columns = 64} layer 0
  }
}
// CHECK-LABEL: aipu.program "same"
// CHECK: aipu.dma on dma0(src = l2 %v[0]
// CHECK-NEXT: aipu.load on load(src = l1 %a[0]) {row = 0
// CHECK-NEXT: aipu.dma on dma0(src = l2 %w[0]
// CHECK-NEXT: aipu.load on load(src = l1 %a[0]) {row = 8

// -----

// Only one channel in use: none is added.
aipu.program "single" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %v = aipu.buffer "v" bytes 1024 data dense<2> : tensor<1024xi8> : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 512 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 512 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %v[0], dst = l1 %a[0]) {row_bytes = 512} layer 0
    %1 = aipu.dma on dma0(src = l2 %v[512], dst = l1 %b[0]) {row_bytes = 512} layer 0
  }
}
// CHECK-LABEL: aipu.program "single"
// CHECK-NOT: dma1
// CHECK: aipu.dma on dma0(src = l2 %v[0]
