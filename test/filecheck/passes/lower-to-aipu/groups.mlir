// RUN: ax-opt %s --split-input-file -p lower-to-aipu | filecheck %s

// 32 groups of 4 channels: the first 64 channels need nothing of the others, and the weights of both are loaded alone.
axq.graph @groups(%x: tensor<1x128x4x4x!axq.q<0.5 : 0>> "x", %e: tensor<1x128x4x4x!axq.q<0.5 : 0>> "e") -> ("y") {
  %y = axq.conv %x weight dense<1> : tensor<128x4x1x1xi8> scale dense<0.5> : tensor<128xf32> bias dense<0> : tensor<128xi32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 32 epilogue <add> extras %e : tensor<1x128x4x4x!axq.q<0.5 : 0>> : tensor<1x128x4x4x!axq.q<0.5 : 0>> -> tensor<1x128x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x128x4x4x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "groups"
// CHECK-SAME: layers [#aipu.layer<"conv_0", "conv", "array", 4096>, #aipu.layer<"conv_0", "conv", "array", 4096>]
// CHECK: aipu.core 0 {
// CHECK: aipu.load {{.*}}segment_rows = 64, columns = 64} layer 0
// CHECK-NEXT: aipu.mvm {{.*}} layer 0
// CHECK-NEXT: aipu.dma on dma1({{.*}}, dst = l2 %[[Y:.*]][0]) {row_bytes = 64, count0 = 4, count1 = 4, src_step0 = 64, src_step1 = 256, dst_step0 = 128, dst_step1 = 512} layer 0
// CHECK-NEXT: aipu.load {{.*}}segment_rows = 64, columns = 64} layer 1
// CHECK-NEXT: aipu.mvm {{.*}} layer 1
// CHECK-NEXT: aipu.dma on dma1({{.*}}, dst = l2 %[[Y]][64]) {row_bytes = 64, count0 = 4, count1 = 4, src_step0 = 64, src_step1 = 256, dst_step0 = 128, dst_step1 = 512} layer 1

// -----

// Two groups of 48: the second pword of each side has channels of both, and both pwords are needed.
axq.graph @whole(%x: tensor<1x96x4x4x!axq.q<0.5 : 0>> "x") -> ("y") {
  %y = axq.conv %x weight dense<1> : tensor<96x48x1x1xi8> scale dense<0.5> : tensor<96xf32> bias dense<0> : tensor<96xi32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2 : tensor<1x96x4x4x!axq.q<0.5 : 0>> -> tensor<1x96x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x96x4x4x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "whole"
// CHECK-SAME: layers [#aipu.layer<"conv_0", "conv", "array", 73728>]
