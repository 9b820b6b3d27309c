// RUN: ax-opt %s --split-input-file -p rearrange | filecheck %s

// The nearest pixel: rows and columns are taken, first along the axis that gets smaller.
ax.graph @main(%x: tensor<1x8x6x4xf32> "x", %w: tensor<4x8x1x1xf32> "w", %v: tensor<2x4x1x1xf32> "v") -> ("y") {
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x8x6x4xf32>, tensor<4x8x1x1xf32>) -> tensor<1x4x6x4xf32>
  %r = ax.resize %a nearest sizes [1, 4, 3, 6] scales [1.0, 1.0, 0.5, 1.5] coordinates asymmetric rounding floor : tensor<1x4x6x4xf32> -> tensor<1x4x3x6xf32>
  %y = ax.conv %r, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x4x3x6xf32>, tensor<2x4x1x1xf32>) -> tensor<1x2x3x6xf32>
  ax.return %y : tensor<1x2x3x6xf32>
}
// CHECK: %[[A:.*]] = ax.conv
// CHECK-NEXT: %[[R:.*]] = ax.gather %[[A]] axis 2 indices [0, 2, 4]
// CHECK-NEXT: %[[C:.*]] = ax.gather %[[R]] axis 3 indices [0, 0, 1, 2, 2, 3]
// CHECK-NEXT: ax.conv %[[C]]

// -----

// Linear: both neighbours, times their shares.
ax.graph @main(%x: tensor<1x8x2x3xf32> "x", %w: tensor<4x8x1x1xf32> "w", %v: tensor<2x4x1x1xf32> "v") -> ("y") {
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x8x2x3xf32>, tensor<4x8x1x1xf32>) -> tensor<1x4x2x3xf32>
  %r = ax.resize %a linear sizes [1, 4, 2, 5] scales [1.0, 1.0, 1.0, 1.66666663] coordinates align_corners : tensor<1x4x2x3xf32> -> tensor<1x4x2x5xf32>
  %y = ax.conv %r, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x4x2x5xf32>, tensor<2x4x1x1xf32>) -> tensor<1x2x2x5xf32>
  ax.return %y : tensor<1x2x2x5xf32>
}
// CHECK: %[[A:.*]] = ax.conv
// CHECK-NEXT: %[[NEAR:.*]] = ax.gather %[[A]] axis 3 indices [0, 0, 1, 1, 2]
// CHECK-NEXT: %[[FAR:.*]] = ax.gather %[[A]] axis 3 indices [1, 1, 2, 2, 2]
// CHECK-NEXT: %[[POOL:.*]] = ax.avg_pool %[[NEAR]] kernel [1, 1]
// CHECK-NEXT: %[[P:.*]] = ax.constant dense<{{.*}}1.000000e+00, 5.000000e-01, 1.000000e+00, 5.000000e-01, 1.000000e+00{{.*}}> : tensor<1x1x1x5xf32>
// CHECK-NEXT: %[[M:.*]] = ax.mul %[[POOL]], %[[P]]
// CHECK-NEXT: %[[Q:.*]] = ax.constant dense<{{.*}}0.000000e+00, 5.000000e-01, 0.000000e+00, 5.000000e-01, 0.000000e+00{{.*}}> : tensor<1x1x1x5xf32>
// CHECK-NEXT: %[[N:.*]] = ax.mul %[[FAR]], %[[Q]]
// CHECK-NEXT: ax.add %[[M]], %[[N]]

// -----

// At the end of a network it would only make the transfer larger, and channels are not resized.
ax.graph @main(%x: tensor<1x8x6x4xf32> "x", %w: tensor<4x8x1x1xf32> "w") -> ("y") {
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x8x6x4xf32>, tensor<4x8x1x1xf32>) -> tensor<1x4x6x4xf32>
  %r = ax.resize %a nearest sizes [1, 4, 3, 6] scales [1.0, 1.0, 0.5, 1.5] coordinates asymmetric rounding floor : tensor<1x4x6x4xf32> -> tensor<1x4x3x6xf32>
  ax.return %r : tensor<1x4x3x6xf32>
}
// CHECK: ax.resize

// -----

ax.graph @main(%x: tensor<1x8x6x4xf32> "x", %w: tensor<4x8x1x1xf32> "w", %v: tensor<2x6x1x1xf32> "v") -> ("y") {
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x8x6x4xf32>, tensor<4x8x1x1xf32>) -> tensor<1x4x6x4xf32>
  %r = ax.resize %a nearest sizes [1, 6, 6, 4] scales [1.0, 1.5, 1.0, 1.0] coordinates asymmetric rounding floor : tensor<1x4x6x4xf32> -> tensor<1x6x6x4xf32>
  %y = ax.conv %r, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x6x6x4xf32>, tensor<2x6x1x1xf32>) -> tensor<1x2x6x4xf32>
  ax.return %y : tensor<1x2x6x4xf32>
}
// CHECK: ax.resize
