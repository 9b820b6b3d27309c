// RUN: ax-opt %s -p 'schedule{use-hw-tokens=false}' | filecheck %s
// RUN: ax-opt %s -p 'schedule{use-hw-tokens=false},schedule' | filecheck %s --check-prefix TOKENS

// The store waits for the fetch of %a, in program order before everything that follows: the load need not wait again.
aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 1024 at 0 data dense<1> : tensor<1024xi8> : !aipu.buffer<l2>
  %y = aipu.buffer "y" bytes 1024 at 1024 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 1024 at 0 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 1024} layer 0
    %1 = aipu.dma on dma1(src = l1 %a[0], dst = l2 %y[0]) {row_bytes = 1024} layer 0
    %2 = aipu.load on load(src = l1 %a[0]) {row = 0, segment_rows = 16, columns = 64} layer 0
    %3 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 512} layer 0
  }
}
// CHECK: aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] control_dispatch {
// CHECK: %[[F:.*]] = aipu.dma on dma0({{.*}} layer 0{{$}}
// CHECK-NEXT: %[[S:.*]] = aipu.dma on dma1({{.*}} layer 0 after(%[[F]])
// CHECK-NEXT: %[[L:.*]] = aipu.load on load({{.*}} layer 0{{$}}
// CHECK-NEXT: aipu.dma on dma0({{.*}} layer 0 after(%[[S]], %[[L]])
// TOKENS: aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
// TOKENS: %[[F:.*]] = aipu.dma on dma0({{.*}} layer 0{{$}}
// TOKENS-NEXT: %[[S:.*]] = aipu.dma on dma1({{.*}} layer 0 after(%[[F]])
// TOKENS-NEXT: %[[L:.*]] = aipu.load on load({{.*}} layer 0 after(%[[F]])
