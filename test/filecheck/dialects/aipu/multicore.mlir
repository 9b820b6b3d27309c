// What programs for several cores have: modes, ports of several frames, copies that feed several cores, and tasks that
// only wait.
// RUN: ax-opt %s | filecheck %s
// RUN: ax-opt %s | ax-opt | filecheck %s
// RUN: ax-opt %s -p resolve-addresses,resolve-addresses | filecheck %s --check-prefix RESOLVED

// CHECK: aipu.program "batch" target "metis" mode "batch" layers [#aipu.layer<"l", "copy", "dma", 0>] {
// RESOLVED: aipu.program "batch" target "metis" mode "batch" layers [#aipu.layer<"l", "copy", "dma", 0>] {
aipu.program "batch" target "metis" mode "batch" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %x = aipu.buffer "x" bytes 128 at 0 : !aipu.buffer<l2>
  %y = aipu.buffer "y" bytes 128 at 128 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 128 at 0 : !aipu.buffer<l1>
  // Frame 0 goes without saying.
  // CHECK: aipu.input "x" %x[0] layout <rows 64, pixels 64, channels [3 at 0]>
  // CHECK-NEXT: aipu.input "x" %x[64] frame 1 layout <rows 64, pixels 64, channels [3 at 0]>
  // CHECK-NEXT: aipu.output "y" %y[0] layout
  // CHECK-NEXT: aipu.output "y" %y[64] frame 1 layout
  // RESOLVED: aipu.input "x" %l2[0] layout
  // RESOLVED-NEXT: aipu.input "x" %l2[64] frame 1 layout
  // RESOLVED-NEXT: aipu.output "y" %l2[128] layout
  // RESOLVED-NEXT: aipu.output "y" %l2[192] frame 1 layout
  aipu.input "x" %x[0] frame 0 layout <rows 64, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  aipu.input "x" %x[64] frame 1 layout <rows 64, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  aipu.output "y" %y[0] layout <rows 64, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  aipu.output "y" %y[64] frame 1 layout <rows 64, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  aipu.core 0 {
    // CHECK: %[[FED:.*]] = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 128, cores = 3} layer 0{{$}}
    // CHECK-NEXT: %[[ALL:.*]] = aipu.sync on dma1 layer 0 after(%[[FED]], core 1 dma1 1)
    // CHECK-NEXT: aipu.dma on dma1(src = l1 %a[0], dst = l2 %y[0]) {row_bytes = 64} layer 0{{$}}
    // CHECK-NEXT: aipu.sync on sysdma layer 0 after(core 1 dma1 1) {note}
    // CHECK-NEXT: aipu.sync on load layer 0{{$}}
    // RESOLVED: %dma0.0 = aipu.dma on dma0(src = l2 %l2[0], dst = l1 %l1[0]) {row_bytes = 128, cores = 3} layer 0{{$}}
    // RESOLVED: %dma1.0 = aipu.sync on dma1 layer 0 after(%dma0.0, core 1 dma1 1)
    %0 = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 128, cores = 3} layer 0
    %1 = aipu.sync on dma1 layer 0 after(%0, core 1 dma1 1)
    %2 = aipu.dma on dma1(src = l1 %a[0], dst = l2 %y[0]) {row_bytes = 64} layer 0
    %3 = aipu.sync on sysdma layer 0 after(core 1 dma1 1) {note}
    %4 = aipu.sync on load layer 0
  }
  aipu.core 1 {
    // CHECK: aipu.dma on dma1(src = l1 %a[64], dst = l2 %y[64]) {row_bytes = 64} layer 0 after(core 0 dma0 1)
    %5 = aipu.dma on dma1(src = l1 %a[64], dst = l2 %y[64]) {row_bytes = 64} layer 0 after(core 0 dma0 1)
  }
}
