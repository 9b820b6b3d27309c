// RUN: ax-opt %s --split-input-file -p schedule --verify-diagnostics | filecheck %s

// Read after write, write after read, and what is already implied.
aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 1024 at 0 data dense<1> : tensor<1024xi8> : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 512 at 0 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 512 at 512 : !aipu.buffer<l1>
  %c = aipu.buffer "c" bytes 512 at 0 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 512} layer 0
    %1 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %b[0]) {row_bytes = 512} layer 0
    %2 = aipu.load on load(src = l1 %a[0]) {row = 0, segment_rows = 8, columns = 64} layer 0
    %3 = aipu.load on load(src = l1 %b[0]) {row = 8, segment_rows = 8, columns = 64} layer 0
    %4 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %c[0]) {row_bytes = 512} layer 0
    %5 = aipu.dma on dma1(src = l1 %c[0], dst = l1 %b[0]) {row_bytes = 512} layer 0
    %6 = aipu.dma on dma1(src = l1 %b[0], dst = l2 %w[512]) {row_bytes = 512} layer 0
  }
}

// CHECK: %[[D0:.*]] = aipu.dma on dma0({{.*}} layer 0{{$}}
// CHECK-NEXT: %[[D1:.*]] = aipu.dma on dma0({{.*}} layer 0{{$}}
// CHECK-NEXT: %[[L0:.*]] = aipu.load {{.*}} after(%[[D0]])
// CHECK-NEXT: %[[L1:.*]] = aipu.load {{.*}} after(%[[D1]])
// %c takes the bytes of %a: wait until they were read
// CHECK-NEXT: %[[D2:.*]] = aipu.dma on dma0({{.*}} after(%[[L0]])
// CHECK-NEXT: %[[S0:.*]] = aipu.dma on dma1({{.*}} after(%[[D2]], %[[L1]])
// the same queue is in order
// CHECK-NEXT: aipu.dma on dma1({{.*}} layer 0{{$}}

// -----

// expected-error@+2 {{buffer 'a' has no address}}
aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %a = aipu.buffer "a" bytes 512 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l1 %a[0], dst = l1 %a[256]) {row_bytes = 256} layer 0
  }
}
