// RUN: ax-opt %s --split-input-file -p lower-to-aipu | filecheck %s

// A depthwise convolution: parameters and weights in one copy, padding is the input's zero point.
axq.graph @depthwise(%x: tensor<1x8x4x4x!axq.q<0.5 : 5>> "x") -> ("y") {
  %y = axq.conv %x weight dense<1> : tensor<8x1x3x3xi8> scale dense<0.25> : tensor<8xf32> bias dense<0> : tensor<8xi32>
    strides [2, 1] pads [1, 1, 1, 1] dilations [1, 1] group 8 epilogue <clip(0.0, 6.0)>
    : tensor<1x8x4x4x!axq.q<0.5 : 5>> -> tensor<1x8x2x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x8x2x4x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "depthwise"
// CHECK-SAME: #aipu.layer<"conv_0", "depthwise_conv", "depthwise", 576>
// CHECK: aipu.depthwise on depthwise(src = l1 %{{.*}}[0], params = l1 %[[C:.*]][0], out = l1 %{{.*}}[0], weights = l1 %[[C]][512])
// CHECK-SAME: y0 = -1, x0 = -64, y_step = 2, x_step = 64, tap_rows = 3, tap_columns = 3, tap_step = 64, blocks = 1, pad = 5, rows = 2, vectors = 4
// CHECK-SAME: lower = 0, upper = 12
// CHECK-SAME: mode = mac

// -----

// Two activations added: the second is an operand of the vector unit. A byte in, a byte out: no accumulator.
axq.graph @add(%a: tensor<1x8x4x4x!axq.q<0.5 : 5>> "a", %b: tensor<1x8x4x4x!axq.q<0.25 : -7>> "b") -> ("y") {
  %y = axq.map %a epilogue <add> extras %b : tensor<1x8x4x4x!axq.q<0.25 : -7>>
    : tensor<1x8x4x4x!axq.q<0.5 : 5>> -> tensor<1x8x4x4x!axq.q<0.5 : 1>>
  axq.return %y : tensor<1x8x4x4x!axq.q<0.5 : 1>>
}
// CHECK-LABEL: aipu.program "add"
// CHECK: aipu.vec on depthwise(src = l1 %{{.*}}[0], operand0 = l1 %{{.*}}[0], out = l1 %{{.*}}[0])
// CHECK-SAME: bias = -5, scale = 0.5, steps = [load r1 0, add r0 r1], operand0_row_pitch = 256, operand0_pitch = 64, operand0_zero = -7, operand0_scale = 0.25

// -----

// A gate of one pixel a channel is read again for every pixel: its pitches are zero.
axq.graph @gate(%a: tensor<1x8x4x4x!axq.q<0.5 : 5>> "a", %b: tensor<1x8x1x1x!axq.q<0.25 : -7>> "b") -> ("y") {
  %y = axq.map %a epilogue <mul> extras %b : tensor<1x8x1x1x!axq.q<0.25 : -7>>
    : tensor<1x8x4x4x!axq.q<0.5 : 5>> -> tensor<1x8x4x4x!axq.q<0.5 : 1>>
  axq.return %y : tensor<1x8x4x4x!axq.q<0.5 : 1>>
}
// CHECK-LABEL: aipu.program "gate"
// CHECK: aipu.vec
// CHECK-SAME: steps = [load r1 0, mul r0 r1], operand0_zero = -7

// -----

// The greater and the lesser of two: as a sum, with another operation.
axq.graph @extremes(%a: tensor<1x8x4x4x!axq.q<0.5 : 5>> "a", %b: tensor<1x8x4x4x!axq.q<0.25 : -7>> "b") -> ("y") {
  %y = axq.map %a epilogue <max, relu, min> extras %b, %a : tensor<1x8x4x4x!axq.q<0.25 : -7>>, tensor<1x8x4x4x!axq.q<0.5 : 5>>
    : tensor<1x8x4x4x!axq.q<0.5 : 5>> -> tensor<1x8x4x4x!axq.q<0.5 : 1>>
  axq.return %y : tensor<1x8x4x4x!axq.q<0.5 : 1>>
}
// CHECK-LABEL: aipu.program "extremes"
// CHECK: aipu.vec
// CHECK-SAME: steps = [load r1 0, max r0 r1, max r0 0.0, load r1 1, min r0 r1]

// -----

// A difference is the sum with an operand of negative scale; both signs of a tensor are two operands.
axq.graph @difference(%a: tensor<1x8x4x4x!axq.q<0.5 : 5>> "a", %b: tensor<1x8x4x4x!axq.q<0.25 : -7>> "b") -> ("y") {
  %y = axq.map %a epilogue <sub, relu, mul> extras %b, %b : tensor<1x8x4x4x!axq.q<0.25 : -7>>, tensor<1x8x4x4x!axq.q<0.25 : -7>>
    : tensor<1x8x4x4x!axq.q<0.5 : 5>> -> tensor<1x8x4x4x!axq.q<0.5 : 1>>
  axq.return %y : tensor<1x8x4x4x!axq.q<0.5 : 1>>
}
// CHECK-LABEL: aipu.program "difference"
// CHECK: aipu.vec
// CHECK-SAME: steps = [load r1 0, add r0 r1, max r0 0.0, load r1 1, mul r0 r1]
// CHECK-SAME: operand0_zero = -7, operand0_scale = -0.25,
// CHECK-SAME: operand1_zero = -7, operand1_scale = 0.25,

// -----

// A byte for every byte: a table with a bin for each, of bytes as they stand; what computes the same shares it.
axq.graph @lookup(%x: tensor<1x8x4x4x!axq.q<0.5 : 5>> "x") -> ("y") {
  %a = axq.lookup %x table dense<3> : tensor<256xi8> : tensor<1x8x4x4x!axq.q<0.5 : 5>> -> tensor<1x8x4x4x!axq.q<0.25 : 1>>
  %y = axq.lookup %a table dense<3> : tensor<256xi8> : tensor<1x8x4x4x!axq.q<0.25 : 1>> -> tensor<1x8x4x4x!axq.q<0.5 : 2>>
  axq.return %y : tensor<1x8x4x4x!axq.q<0.5 : 2>>
}
// CHECK-LABEL: aipu.program "lookup"
// CHECK-SAME: #aipu.layer<"lookup_0", "lookup", "vector", 0>
// CHECK: aipu.dma on dma0(src = l2 %{{.*}}[0], dst = l1 %[[T:.*]][0]) {row_bytes = 8384}
// CHECK-NOT: row_bytes = 8384
// CHECK: aipu.vec on depthwise(src = l1 %{{.*}}[0], table = l1 %[[T]][0], out = l1 %{{.*}}[0]) {{.*}} vectors = 4, steps = [table r0], out_row_pitch
// CHECK: aipu.vec on depthwise(src = l1 %{{.*}}[0], table = l1 %[[T]][0], out

// -----

// A row is read again for every row, a column for every pixel of its row; the input may be one of them.
axq.graph @row(%a: tensor<1x8x4x4x!axq.q<0.5 : 5>> "a", %b: tensor<1x8x1x4x!axq.q<0.25 : -7>> "b") -> ("y") {
  %y = axq.map %a epilogue <add> extras %b : tensor<1x8x1x4x!axq.q<0.25 : -7>>
    : tensor<1x8x4x4x!axq.q<0.5 : 5>> -> tensor<1x8x4x4x!axq.q<0.5 : 1>>
  axq.return %y : tensor<1x8x4x4x!axq.q<0.5 : 1>>
}
// CHECK-LABEL: aipu.program "row"
// CHECK: aipu.vec
// CHECK-SAME: row_pitch = 256, y0 = 0, x0 = 0, x_step = 64, tap_step = 64, blocks = 1, rows = 4, vectors = 4
// CHECK-SAME: steps = [load r1 0, add r0 r1], operand0_pitch = 64, operand0_zero = -7

// -----

axq.graph @outer(%a: tensor<1x8x1x4x!axq.q<0.5 : 5>> "a", %b: tensor<1x8x3x1x!axq.q<0.25 : -7>> "b") -> ("y") {
  %y = axq.map %a epilogue <add> extras %b : tensor<1x8x3x1x!axq.q<0.25 : -7>>
    : tensor<1x8x1x4x!axq.q<0.5 : 5>> -> tensor<1x8x3x4x!axq.q<0.5 : 1>>
  axq.return %y : tensor<1x8x3x4x!axq.q<0.5 : 1>>
}
// CHECK-LABEL: aipu.program "outer"
// CHECK: aipu.vec
// CHECK-SAME: src_rows = 1, row_bytes = 256, row_pitch = 256, y0 = 0, x0 = 0, y_step = 0, x_step = 64, tap_step = 64, blocks = 1, rows = 3, vectors = 4
// CHECK-SAME: steps = [load r1 0, add r0 r1], operand0_row_pitch = 64, operand0_zero = -7

// -----

// Pooling: the greatest byte, padding never wins; and a mean that counts only what lies inside.
axq.graph @pools(%x: tensor<1x8x4x4x!axq.q<0.5 : 5>> "x") -> ("m", "a") {
  %m = axq.max_pool %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] dilations [1, 1]
    : tensor<1x8x4x4x!axq.q<0.5 : 5>> -> tensor<1x8x2x2x!axq.q<0.5 : 5>>
  %a = axq.avg_pool %x kernel [3, 3] strides [2, 2] pads [1, 1, 1, 1] count_include_pad false
    : tensor<1x8x4x4x!axq.q<0.5 : 5>> -> tensor<1x8x2x2x!axq.q<0.5 : 0>>
  axq.return %m, %a : tensor<1x8x2x2x!axq.q<0.5 : 5>>, tensor<1x8x2x2x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "pools"
// CHECK: aipu.depthwise {{.*}} pad = -128,{{.*}} mode = max}
// CHECK: aipu.depthwise {{.*}} pad = 5,{{.*}} bias = -45, scale = 0.5, steps = [taps r0],{{.*}} mode = sum}

// -----

// A concatenation moves nothing: its first producer writes pwords 0, the second pwords 1 of the same storage.
axq.graph @concat(%x: tensor<1x8x4x4x!axq.q<0.5 : 5>> "x") -> ("y") {
  %a = axq.map %x epilogue <relu> : tensor<1x8x4x4x!axq.q<0.5 : 5>> -> tensor<1x8x4x4x!axq.q<0.5 : 1>>
  %b = axq.map %x epilogue <silu> : tensor<1x8x4x4x!axq.q<0.5 : 5>> -> tensor<1x8x4x4x!axq.q<0.5 : 1>>
  %y = axq.concat %a, %b axis 1
    : (tensor<1x8x4x4x!axq.q<0.5 : 1>>, tensor<1x8x4x4x!axq.q<0.5 : 1>>) -> tensor<1x16x4x4x!axq.q<0.5 : 1>>
  %z = axq.conv %y weight dense<1> : tensor<4x16x1x1xi8> scale dense<0.25> : tensor<4xf32> bias dense<0> : tensor<4xi32>
    strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : tensor<1x16x4x4x!axq.q<0.5 : 1>> -> tensor<1x4x4x4x!axq.q<0.5 : 0>>
  axq.return %z : tensor<1x4x4x4x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "concat"
// CHECK: %[[Y:.*]] = aipu.buffer "concat_{{[0-9]+}}" bytes 2048 : !aipu.buffer<l1>
// CHECK: aipu.vec on depthwise({{.*}} out = l1 %[[Y]][0]) {{.*}} out_pitch = 128
// CHECK: aipu.vec on depthwise({{.*}} table = l1 %{{.*}}[0], out = l1 %[[Y]][64]) {{.*}} steps = [table r0]{{.*}} out_pitch = 128
// CHECK-NOT: src = l1 %[[Y]][0], dst
// CHECK: aipu.mvm on array(src = l1 %[[Y]][0]{{.*}} blocks = 2

// -----

// Stride 2 transposed: four convolutions, each writes every second pixel of every second row.
axq.graph @transposed(%x: tensor<1x8x2x2x!axq.q<0.5 : 5>> "x") -> ("y") {
  %y = axq.conv_transpose %x weight dense<1> : tensor<8x4x2x2xi8> scale dense<0.25> : tensor<4xf32>
    bias dense<0> : tensor<4xi32> strides [2, 2] pads [0, 0, 0, 0] output_padding [0, 0] dilations [1, 1] group 1
    : tensor<1x8x2x2x!axq.q<0.5 : 5>> -> tensor<1x4x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x4x4x4x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "transposed"
// CHECK: aipu.mvm on array({{.*}} out = l1 %[[O:.*]][0]) {{.*}} rows = 2, {{.*}} out_row_pitch = 512, out_pitch = 128, pixels = 2
// CHECK: aipu.mvm on array({{.*}} out = l1 %[[O]][64])
// CHECK: aipu.mvm on array({{.*}} out = l1 %[[O]][256])
// CHECK: aipu.mvm on array({{.*}} out = l1 %[[O]][320])
