// RUN: ax-opt %s --split-input-file -p lower-to-aipu | filecheck %s
// RUN: ax-opt %s --split-input-file -p 'lower-to-aipu{force-oc-tiling=2}' | filecheck %s

// A softmax takes the channels of a pixel one after the other: a concatenation with gaps is laid out anew. All 66 are in
// one tile, whatever force_oc_tiling says, and 62 lanes behind them are neutral.
axq.graph @softmax(%x: tensor<1x65x4x4x!axq.q<0.5 : 5>> "x", %z: tensor<1x1x4x4x!axq.q<0.5 : 5>> "z") -> ("y") {
  %a = axq.concat %x, %z axis 1
    : (tensor<1x65x4x4x!axq.q<0.5 : 5>>, tensor<1x1x4x4x!axq.q<0.5 : 5>>) -> tensor<1x66x4x4x!axq.q<0.5 : 5>>
  %y = axq.softmax %a axis 1 neutral -9.1 : tensor<1x66x4x4x!axq.q<0.5 : 5>> -> tensor<1x66x4x4x!axq.q<0.00390625 : -128>>
  axq.return %y : tensor<1x66x4x4x!axq.q<0.00390625 : -128>>
}
// CHECK-LABEL: aipu.program "softmax"
// CHECK-SAME: "relayout", "array", 0>, #aipu.layer<{{.*}}, "softmax", "vector", 0>
// CHECK: aipu.buffer "table.exp" bytes 8384
// CHECK: aipu.softmax on depthwise({{.*}}) {row_pitch = 512, pitch = 128, rows = 4, pixels = 4, channels = 66, zero = 5, scale = 0.5, neutral = -9.100000381469727, inverse = 256.0, zero_point = -128, out_row_pitch = 512, out_pitch = 128}
// CHECK-NOT: aipu.softmax

// -----

// Its result cannot be computed in its place where rows are appended to channels with a gap between them.
axq.graph @rows(%x: tensor<1x1x2x2x!axq.q<0.5 : 5>> "x", %z: tensor<1x1x2x2x!axq.q<0.5 : 5>> "z") -> ("y") {
  %a = axq.concat %x, %z axis 1
    : (tensor<1x1x2x2x!axq.q<0.5 : 5>>, tensor<1x1x2x2x!axq.q<0.5 : 5>>) -> tensor<1x2x2x2x!axq.q<0.5 : 5>>
  %s = axq.softmax %a axis 1 neutral -9.0 : tensor<1x2x2x2x!axq.q<0.5 : 5>> -> tensor<1x2x2x2x!axq.q<0.5 : 5>>
  %y = axq.concat %a, %s axis 2
    : (tensor<1x2x2x2x!axq.q<0.5 : 5>>, tensor<1x2x2x2x!axq.q<0.5 : 5>>) -> tensor<1x2x4x2x!axq.q<0.5 : 5>>
  axq.return %y : tensor<1x2x4x2x!axq.q<0.5 : 5>>
}
// CHECK-LABEL: aipu.program "rows"
// CHECK-SAME: "relayout", "array", 0>, #aipu.layer<{{[^,]*}}, "softmax", "vector", 0>, #aipu.layer<{{[^,]*}}, "relayout", "array", 0>, #aipu.layer<{{[^,]*}}, "concat", "dma", 0>]
