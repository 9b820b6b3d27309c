// RUN: ax-opt %s --split-input-file -p lower-to-aipu | filecheck %s

// Attention of two heads with 3 pixels: keys become columns, values rows of the weight sets, a set for each head. A load
// takes exactly the 32 channels of a head, wherever they begin.
axq.graph @attention(%x: tensor<1x64x1x3x!axq.q<0.5 : 0>> "x") -> ("y") {
  %s = axq.matmul %x, %x heads 2 transpose true factor 0.125
    : (tensor<1x64x1x3x!axq.q<0.5 : 0>>, tensor<1x64x1x3x!axq.q<0.5 : 0>>) -> tensor<1x3x2x3x!axq.q<0.25 : 9>>
  %p = axq.softmax %s axis 1 neutral -100000.0 : tensor<1x3x2x3x!axq.q<0.25 : 9>> -> tensor<1x3x2x3x!axq.q<0.00390625 : -128>>
  %y = axq.matmul %p, %x heads 2 transpose false factor 1.0
    : (tensor<1x3x2x3x!axq.q<0.00390625 : -128>>, tensor<1x64x1x3x!axq.q<0.5 : 0>>) -> tensor<1x64x1x3x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x64x1x3x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "attention"
// CHECK-SAME: layers [#aipu.layer<"matmul_0", "matmul", "array", 576>, #aipu.layer<"softmax_1", "softmax", "vector", 0>, #aipu.layer<"matmul_2", "matmul", "array", 576>]
// CHECK: aipu.output "y" {{.*}} channels [32 at 0, 32 at 64]
// CHECK: aipu.load_pixels on load(src = l1 [[X:%[0-9]+]][0]) {pitch = 64, pixels = 3, channels = 32, row = 0, transpose = 1}
// CHECK: aipu.mvm {{.*}} x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 3, scale = 0.03125, inverse = 4.0, zero_point = 9, {{.*}} row = 0, matrix_rows = 64, columns = 1}
// CHECK: aipu.load_pixels on load(src = l1 [[X]][32]) {pitch = 64, pixels = 3, channels = 32, row = 512, transpose = 1}
// CHECK: aipu.mvm {{.*}} x0 = 32, x_step = 64, {{.*}} row = 512, matrix_rows = 64, columns = 1}
// CHECK: aipu.softmax {{.*}} rows = 2, pixels = 3, channels = 3,
// CHECK: aipu.load_pixels {{.*}}[0]) {pitch = 64, pixels = 3, channels = 32, row = 0}
// CHECK: aipu.mvm {{.*}} y0 = 0, {{.*}} pad = -128, {{.*}} scale = 0.001953125, {{.*}} zero = -128}
// CHECK: aipu.load_pixels {{.*}}[32]) {pitch = 64, pixels = 3, channels = 32, row = 512}
// CHECK: aipu.mvm {{.*}} y0 = 1, {{.*}} zero = -128}

// -----

// 2,100 pixels are more than the sets have rows: two passes, with partial sums between them. They are as many columns as
// five loads write.
axq.graph @passes(%p: tensor<1x2100x1x2x!axq.q<0.5 : 3>> "p", %v: tensor<1x8x30x70x!axq.q<0.5 : 0>> "v") -> ("y", "z") {
  %y = axq.matmul %p, %v heads 1 transpose false factor 1.0
    : (tensor<1x2100x1x2x!axq.q<0.5 : 3>>, tensor<1x8x30x70x!axq.q<0.5 : 0>>) -> tensor<1x8x1x2x!axq.q<0.5 : 0>>
  %z = axq.matmul %y, %v heads 1 transpose true factor 1.0
    : (tensor<1x8x1x2x!axq.q<0.5 : 0>>, tensor<1x8x30x70x!axq.q<0.5 : 0>>) -> tensor<1x2100x1x2x!axq.q<0.5 : 0>>
  axq.return %y, %z : tensor<1x8x1x2x!axq.q<0.5 : 0>>, tensor<1x2100x1x2x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "passes"
// CHECK: aipu.load_pixels {{.*}} {pitch = 64, pixels = 2048, channels = 8, row = 0}
// CHECK: aipu.mvm {{.*}}partial_out = l1 {{.*}} x0 = 0, x_step = 2112, blocks = 32, pad = 3, {{.*}} matrix_rows = 2048, columns = 1, zero = 3}
// CHECK: aipu.load_pixels {{.*}}[131072]) {pitch = 64, pixels = 52, channels = 8, row = 0}
// CHECK: aipu.mvm {{.*}}partial_in = l1 {{.*}} x0 = 2048, x_step = 2112, blocks = 1, pad = 3, {{.*}} matrix_rows = 64, columns = 1, zero = 3}
// CHECK-COUNT-4: aipu.load_pixels {{.*}} pixels = 512, channels = 8, {{.*}} transpose = 1}
// CHECK: aipu.load_pixels {{.*}} pixels = 52, channels = 8, {{.*}} transpose = 1}
// CHECK-NOT: aipu.load_pixels

// -----

// Layer normalization is cut into rows, instance normalization needs all of them. Both need channels without gaps.
axq.graph @normalize(%x: tensor<1x65x4x4x!axq.q<0.5 : 5>> "x") -> ("y", "z") {
  %y = axq.normalize %x factor dense<1.0> : tensor<65xf32> summand dense<0.5> : tensor<65xf32> group 65 spatial false
    epsilon 1.0e-5 : tensor<1x65x4x4x!axq.q<0.5 : 5>> -> tensor<1x65x4x4x!axq.q<0.03125 : 0>>
  %z = axq.normalize %x factor dense<1.0> : tensor<65xf32> summand dense<0.5> : tensor<65xf32> group 1 spatial true
    epsilon 1.0e-5 : tensor<1x65x4x4x!axq.q<0.5 : 5>> -> tensor<1x65x4x4x!axq.q<0.03125 : 0>>
  axq.return %y, %z : tensor<1x65x4x4x!axq.q<0.03125 : 0>>, tensor<1x65x4x4x!axq.q<0.03125 : 0>>
}
// CHECK-LABEL: aipu.program "normalize"
// CHECK-SAME: "normalize", "vector", 0>, {{.*}}"normalize", "vector", 0>]
// CHECK: aipu.normalize on depthwise({{.*}}) {row_pitch = 512, pitch = 128, rows = 4, pixels = 4, channels = 65, group = 65, zero = 5, epsilon = 0.16899999976158142, inverse = 32.0, out_row_pitch = 512, out_pitch = 128}
// CHECK: aipu.normalize on depthwise({{.*}}) {row_pitch = 512, pitch = 128, rows = 4, pixels = 4, channels = 65, group = 1, spatial = 1, zero = 5, epsilon = 0.010239999741315842, inverse = 32.0, out_row_pitch = 512, out_pitch = 128}
