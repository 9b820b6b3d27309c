// Stages: consecutive layers a core. What a stage hands on passes through L2; what several later stages read is sent once.
// RUN: ax-opt %s -p 'lower-to-aipu{aipu-cores-used=3 multicore-mode=pipeline enable-icr=false pipeline-spatial-tiles=false}' | filecheck %s
// RUN: ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=pipeline enable-icr=false pipeline-spatial-tiles=false}' | filecheck %s --check-prefix TWO

axq.graph @stages(%x: tensor<1x64x8x8x!axq.q<0.5 : 0>> "x") -> ("y") {
  %a = axq.conv %x weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x8x8x!axq.q<0.5 : 0>> -> tensor<1x64x8x8x!axq.q<0.5 : 0>> loc("a")
  %b = axq.conv %a weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x8x8x!axq.q<0.5 : 0>> -> tensor<1x64x8x8x!axq.q<0.5 : 0>> loc("b")
  %y = axq.conv %b weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 epilogue <add> extras %a : tensor<1x64x8x8x!axq.q<0.5 : 0>>
    : tensor<1x64x8x8x!axq.q<0.5 : 0>> -> tensor<1x64x8x8x!axq.q<0.5 : 0>> loc("y")
  axq.return %y : tensor<1x64x8x8x!axq.q<0.5 : 0>>
}

// CHECK-LABEL: aipu.program "stages" target "metis" mode "pipeline"
// CHECK-SAME: layers [#aipu.layer<"a", "conv", "array", 2359296>, #aipu.layer<"a", "exchange", "dma", 0>, #aipu.layer<"b", "conv", "array", 2359296>, #aipu.layer<"b", "exchange", "dma", 0>, #aipu.layer<"y", "conv", "array", 2359296>]
// Stages share no work: the bound is that of one core. 3 * 8 * 8 * 9 / 8 vectors of 8 cycles.
// CHECK-SAME: bound = {array = 216 : i64
// The layers have equal weights here, in one buffer.
// CHECK: %[[W:.*]] = aipu.buffer "a.constants" bytes 37376 data
// CHECK-NOT: data
// CHECK: %[[A0:.*]] = aipu.buffer "a.0" bytes 4096 : !aipu.buffer<l1>
// CHECK-NEXT: %[[AE:.*]] = aipu.buffer "a.1.0.exchange" bytes 4096 : !aipu.buffer<l2>
// CHECK: %[[A1:.*]] = aipu.buffer "a.1" bytes 4096 : !aipu.buffer<l1>
// CHECK-NEXT: %[[B1:.*]] = aipu.buffer "b.1" bytes 4096 : !aipu.buffer<l1>
// CHECK-NEXT: %[[BE:.*]] = aipu.buffer "b.3.0.exchange" bytes 4096 : !aipu.buffer<l2>
// CHECK: %[[A2:.*]] = aipu.buffer "a.2" bytes 4096 : !aipu.buffer<l1>
// CHECK-NEXT: %[[B2:.*]] = aipu.buffer "b.2" bytes 4096 : !aipu.buffer<l1>
// CHECK: aipu.core 0 {
// CHECK: aipu.mvm {{.*}} out = l1 %[[A0]][0]) {{.*}} layer 0
// CHECK-NEXT: aipu.dma on dma1(src = l1 %[[A0]][0], dst = l2 %[[AE]][0]) {row_bytes = 4096} layer 1
// CHECK-NEXT: }
// CHECK-NEXT: aipu.core 1 {
// CHECK: aipu.dma on dma0(src = l2 %[[AE]][0], dst = l1 %[[A1]][0]) {row_bytes = 4096} layer 1
// CHECK: aipu.mvm {{.*}}(src = l1 %[[A1]][0], {{.*}} out = l1 %[[B1]][0]) {{.*}} layer 2
// CHECK-NEXT: aipu.dma on dma1(src = l1 %[[B1]][0], dst = l2 %[[BE]][0]) {row_bytes = 4096} layer 3
// CHECK-NEXT: }
// CHECK-NEXT: aipu.core 2 {
// CHECK: aipu.dma on dma0(src = l2 %[[AE]][0], dst = l1 %[[A2]][0]) {row_bytes = 4096} layer 1
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[BE]][0], dst = l1 %[[B2]][0]) {row_bytes = 4096} layer 3
// CHECK: aipu.mvm {{.*}}(src = l1 %[[B2]][0], {{.*}} operand0 = l1 %[[A2]][0], {{.*}} layer 4

// Two stages: whatever one core alone does is exchanged with nobody.
// TWO-LABEL: aipu.program "stages"
// TWO: aipu.core 0 {
// TWO-COUNT-1: aipu.mvm
// TWO: aipu.core 1 {
// TWO-COUNT-2: aipu.mvm
// TWO-NOT: aipu.mvm
