// RUN: ax-opt %s --split-input-file -p lower-to-aipu | filecheck %s

// A kernel of 9 taps of 256 channels has 2304 matrix rows, all weight sets together 2048: two passes, with partial sums
// between them. The second continues the kernel walk at pword 32.
axq.graph @partial(%x: tensor<1x256x4x4x!axq.q<0.5 : 0>> "x") -> ("y") {
  %y = axq.conv %x weight dense<1> : tensor<64x256x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x256x4x4x!axq.q<0.5 : 0>> -> tensor<1x64x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x64x4x4x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "partial"
// CHECK: %[[P:.*]] = aipu.buffer "conv_0.partial" bytes 4096 : !aipu.buffer<l1>
// CHECK: aipu.load on load({{.*}}) {row = 0, segment_rows = 512, columns = 64}
// CHECK-NEXT: aipu.load on load({{.*}}) {row = 512, segment_rows = 512, columns = 64}
// CHECK-NEXT: aipu.load on load({{.*}}) {row = 1024, segment_rows = 512, columns = 64}
// CHECK-NEXT: aipu.load on load({{.*}}) {row = 1536, segment_rows = 512, columns = 64}
// CHECK-NEXT: aipu.mvm on array(src = l1 %{{.*}}[0], partial_out = l1 %[[P]][0])
// CHECK-SAME: matrix_rows = 2048, columns = 1}
// CHECK-NEXT: aipu.load on load({{.*}}) {row = 0, segment_rows = 256, columns = 64}
// CHECK-NEXT: aipu.mvm on array(src = l1 %{{.*}}[0], params = l1 %{{.*}}[0], out = l1 %{{.*}}[0], partial_in = l1 %[[P]][0])
// CHECK-SAME: matrix_rows = 256, slot = 32, columns = 1}

// -----

// Groups that are not depthwise become a block-diagonal matrix: 4 rows, not 2.
axq.graph @grouped(%x: tensor<1x4x4x4x!axq.q<0.5 : 0>> "x") -> ("y") {
  %y = axq.conv %x weight dense<1> : tensor<8x2x1x1xi8> scale dense<0.25> : tensor<8xf32> bias dense<0> : tensor<8xi32>
    strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2
    : tensor<1x4x4x4x!axq.q<0.5 : 0>> -> tensor<1x8x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x8x4x4x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "grouped"
// CHECK-SAME: #aipu.layer<"conv_0", "conv", "array", 256>
// CHECK: aipu.load on load({{.*}}) {row = 0, segment_rows = 4,
// CHECK-NOT: aipu.load

// -----

// Inputs quantized per channel: scales and zero points are parameters, the padding byte is one a channel.
axq.graph @hybrid(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> ("y") {
  %c = axq.map %x : tensor<1x2x4x4x!axq.q<0.5 : 0>>
    -> tensor<1x2x4x4x!axq.q<channels dense<[0.1, 0.2]> : tensor<2xf32> : dense<[3, -1]> : tensor<2xi32>>>
  %y = axq.conv %c weight dense<1> : tensor<2x1x3x3xi8> scale dense<1.0> : tensor<2xf32> bias dense<0> : tensor<2xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 2
    : tensor<1x2x4x4x!axq.q<channels dense<[0.1, 0.2]> : tensor<2xf32> : dense<[3, -1]> : tensor<2xi32>>>
    -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x2x4x4x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "hybrid"
// CHECK: aipu.vec {{.*}} inverse = lane 0, zero_point = lane 1,
// CHECK: aipu.depthwise {{.*}} bias = lane 0, scale = lane 1, inverse = 2.0, {{.*}} mode = mac, pad_lane = 2}
