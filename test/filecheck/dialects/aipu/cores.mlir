// Waits for queues of other cores, control dispatch, and the system DMA.
// RUN: ax-opt %s | filecheck %s
// RUN: ax-opt %s | ax-opt | filecheck %s
// RUN: ax-opt %s -p resolve-addresses,resolve-addresses | filecheck %s --check-prefix RESOLVED

// CHECK: aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] control_dispatch attributes {note = "kept"} {
// RESOLVED: aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] control_dispatch attributes {note = "kept"} {
aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] control_dispatch attributes {note = "kept"} {
  %w = aipu.buffer "w" bytes 64 at 0 data dense<1> : tensor<64xi8> : !aipu.buffer<ddr>
  %s = aipu.buffer "s" bytes 64 at 0 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 at 0 : !aipu.buffer<l1>
  aipu.core 0 {
    // CHECK: %[[S:.*]] = aipu.dma on sysdma(src = ddr %w[0], dst = l2 %s[0]) {row_bytes = 64} layer 0{{$}}
    // CHECK-NEXT: aipu.dma on dma1(src = l2 %s[0], dst = l1 %a[0]) {row_bytes = 64} layer 0 after(%[[S]])
    // Tasks stand in the order in which they are handed out.
    // RESOLVED: %sysdma.0 = aipu.dma on sysdma
    // RESOLVED-NEXT: %dma1.0 = aipu.dma on dma1({{.*}} after(%sysdma.0)
    // RESOLVED-NEXT: %dma0.0 = aipu.dma on dma0({{.*}} after(%sysdma.0)
    %0 = aipu.dma on sysdma(src = ddr %w[0], dst = l2 %s[0]) {row_bytes = 64} layer 0
    %1 = aipu.dma on dma1(src = l2 %s[0], dst = l1 %a[0]) {row_bytes = 64} layer 0 after(%0)
    %2 = aipu.dma on dma0(src = l2 %s[0], dst = l1 %a[0]) {row_bytes = 64} layer 0 after(%0)
  }
  aipu.core 1 {
    // CHECK: %[[T:.*]] = aipu.dma on dma0(src = l2 %s[0], dst = l1 %a[0]) {row_bytes = 64} layer 0 after(core 0 sysdma 1)
    // CHECK-NEXT: aipu.dma on dma1(src = l2 %s[0], dst = l1 %a[0]) {row_bytes = 64} layer 0 after(%[[T]], core 0 dma0 1, core 0 sysdma 1)
    // RESOLVED: %[[T:.*]] = aipu.dma on dma0({{.*}} after(core 0 sysdma 1)
    // RESOLVED-NEXT: aipu.dma on dma1({{.*}} after(%[[T]], core 0 dma0 1, core 0 sysdma 1)
    %3 = aipu.dma on dma0(src = l2 %s[0], dst = l1 %a[0]) {row_bytes = 64} layer 0 after(core 0 sysdma 1)
    %4 = aipu.dma on dma1(src = l2 %s[0], dst = l1 %a[0]) {row_bytes = 64} layer 0 after(%3, core 0 dma0 1, core 0 sysdma 1)
  }
}
