// RUN: ax-opt %s -p 'batch-over-cores{aipu-cores-used=3 multicore-mode=batch}' | filecheck %s
// RUN: ax-opt %s -p 'batch-over-cores{aipu-cores-used=3 multicore-mode=cooperative}' | filecheck %s --check-prefix OTHER
// RUN: ax-opt %s -p 'batch-over-cores{aipu-cores-used=1 multicore-mode=batch}' | filecheck %s --check-prefix OTHER

// A frame a core: activations and ports of each, constants once, one address in the L1 of all. What lies in DDR comes
// by multicast on core 0, in every queue of which the order stays.
aipu.program "main" target "metis" layers [#aipu.layer<"Conv_0", "conv", "array", 8>] attributes {bound = {array = 1 : i64, l2 = 2 : i64, ddr = 3 : i64, link = 4 : i64}} {
  %v = aipu.buffer "v" bytes 512 data dense<2> : tensor<512xi8> : !aipu.buffer<l2>
  %w = aipu.buffer "w" bytes 512 data dense<1> : tensor<512xi8> : !aipu.buffer<ddr>
  %x = aipu.buffer "x" bytes 512 : !aipu.buffer<l2>
  %y = aipu.buffer "y" bytes 512 : !aipu.buffer<ddr>
  %a = aipu.buffer "a" bytes 512 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 512 : !aipu.buffer<l1>
  aipu.input "in" %x[0] layout <rows 512, pixels 64, channels [64 at 0]> tensor tensor<1x64x1x8x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  aipu.output "out" %y[0] layout <rows 512, pixels 64, channels [64 at 0]> tensor tensor<1x64x1x8x!axq.q<0.5 : 0>> : !aipu.buffer<ddr>
  aipu.code core 0 on "dma0" in "ddr"
  aipu.code core 0 on "dma1" in "l2"
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %v[0], dst = l1 %a[0]) {row_bytes = 512} layer 0
    %1 = aipu.dma on dma0(src = ddr %w[0], dst = l1 %b[0]) {row_bytes = 512} layer 0
    %2 = aipu.dma on dma1(src = l1 %b[0], dst = ddr %y[0]) {row_bytes = 512} layer 0
    %3 = aipu.dma on dma1(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 512} layer 0
  }
}
// CHECK: aipu.program "main" target "metis" mode "batch" layers
// Cores have arrays of their own; L2 and link serve all; one multicast reads what DDR holds.
// CHECK-SAME: bound = {array = 1 : i64, l2 = 6 : i64, ddr = 3 : i64, link = 12 : i64}
// CHECK-NEXT: %[[V:.*]] = aipu.buffer "v" bytes 512 data
// CHECK-NEXT: %[[W:.*]] = aipu.buffer "w" bytes 512 data
// CHECK-NEXT: %[[X0:.*]] = aipu.buffer "x.0" bytes 512 : !aipu.buffer<l2>
// CHECK-NEXT: %[[X1:.*]] = aipu.buffer "x.1" bytes 512 : !aipu.buffer<l2>
// CHECK-NEXT: %[[X2:.*]] = aipu.buffer "x.2" bytes 512 : !aipu.buffer<l2>
// CHECK-NEXT: %[[Y0:.*]] = aipu.buffer "y.0" bytes 512 : !aipu.buffer<ddr>
// CHECK-NEXT: %[[Y1:.*]] = aipu.buffer "y.1" bytes 512 : !aipu.buffer<ddr>
// CHECK-NEXT: %[[Y2:.*]] = aipu.buffer "y.2" bytes 512 : !aipu.buffer<ddr>
// CHECK-NEXT: %[[A:.*]] = aipu.buffer "a" bytes 512 : !aipu.buffer<l1>
// CHECK-NEXT: %[[B:.*]] = aipu.buffer "b" bytes 512 : !aipu.buffer<l1>
// CHECK-NEXT: aipu.input "in" %[[X0]][0] layout
// CHECK-NEXT: aipu.input "in" %[[X1]][0] frame 1 layout
// CHECK-NEXT: aipu.input "in" %[[X2]][0] frame 2 layout
// CHECK-NEXT: aipu.output "out" %[[Y0]][0] layout
// CHECK-NEXT: aipu.output "out" %[[Y1]][0] frame 1 layout
// CHECK-NEXT: aipu.output "out" %[[Y2]][0] frame 2 layout
// CHECK-NEXT: aipu.code core 0 on "dma0" in "ddr"
// CHECK-NEXT: aipu.code core 0 on "dma1" in "l2"
// CHECK-NEXT: aipu.code core 1 on "dma0" in "ddr"
// CHECK-NEXT: aipu.code core 1 on "dma1" in "l2"
// CHECK-NEXT: aipu.code core 2 on "dma0" in "ddr"
// CHECK-NEXT: aipu.code core 2 on "dma1" in "l2"
// CHECK-NEXT: aipu.core 0 {
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[V]][0], dst = l1 %[[A]][0]) {row_bytes = 512} layer 0
// CHECK-NEXT: aipu.dma on dma0(src = ddr %[[W]][0], dst = l1 %[[B]][0]) {row_bytes = 512, cores = 7} layer 0
// CHECK-NEXT: aipu.dma on dma1(src = l1 %[[B]][0], dst = ddr %[[Y0]][0]) {row_bytes = 512} layer 0
// CHECK-NEXT: aipu.dma on dma1(src = l2 %[[X0]][0], dst = l1 %[[A]][0]) {row_bytes = 512} layer 0
// CHECK-NEXT: }
// CHECK-NEXT: aipu.core 1 {
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[V]][0], dst = l1 %[[A]][0]) {row_bytes = 512} layer 0
// CHECK-NEXT: aipu.dma on dma1(src = l1 %[[B]][0], dst = ddr %[[Y1]][0]) {row_bytes = 512} layer 0
// CHECK-NEXT: aipu.dma on dma1(src = l2 %[[X1]][0], dst = l1 %[[A]][0]) {row_bytes = 512} layer 0
// CHECK-NEXT: }
// CHECK-NEXT: aipu.core 2 {

// OTHER: aipu.program "main" target "metis" layers
// OTHER-NOT: frame 1
// OTHER-NOT: aipu.core 1
