// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// CHECK:      ax.graph @nearest
// CHECK-NEXT:   [[W:%.*]] = ax.constant dense<1.000000e+00> : tensor<2x1x2x3xf32>
// CHECK-NEXT:   [[Y:%.*]] = ax.conv_transpose %x, [[W]] strides [2, 3] pads [0, 0, 0, 0] output_padding [0, 0] dilations [1, 1] group 2
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @nearest(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %y = ax.resize %x nearest sizes [1, 2, 6, 9] scales [1.0, 1.0, 2.0, 3.0] coordinates asymmetric rounding floor : tensor<1x2x3x3xf32> -> tensor<1x2x6x9xf32>
  ax.return %y : tensor<1x2x6x9xf32>
}

// Half-pixel coordinates, rounded to the nearest pixel, repeat pixels as well.
// CHECK:      ax.graph @nearest_otherwise
// CHECK:        [[A:%.*]] = ax.conv_transpose %x, {{.*}} strides [2, 2]
// CHECK:        [[B:%.*]] = ax.conv_transpose [[A]], {{.*}} strides [2, 1]
// CHECK-NEXT:   ax.return [[B]]
ax.graph @nearest_otherwise(%x: tensor<1x1x3x3xf32> "x") -> ("y") {
  %a = ax.resize %x nearest sizes [1, 1, 6, 6] scales [1.0, 1.0, 2.0, 2.0] coordinates half_pixel rounding round_prefer_floor : tensor<1x1x3x3xf32> -> tensor<1x1x6x6xf32>
  %b = ax.resize %a nearest sizes [1, 1, 12, 6] scales [1.0, 1.0, 2.0, 1.0] coordinates asymmetric rounding floor : tensor<1x1x6x6xf32> -> tensor<1x1x12x6xf32>
  ax.return %b : tensor<1x1x12x6xf32>
}

// Linear interpolation at pixel centres: edges repeated, then a triangle for each pixel, cropped.
// CHECK:      ax.graph @linear
// CHECK:        [[P:%.*]] = ax.concat {{.*}} axis 3
// CHECK:        [[Y:%.*]] = ax.conv_transpose [[P]], {{.*}} strides [2, 2] pads [3, 3, 3, 3] output_padding [0, 0] dilations [1, 1] group 1 : (tensor<1x1x6x6xf32>, tensor<1x1x4x4xf32>) -> tensor<1x1x8x8xf32>
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @linear(%x: tensor<1x1x4x4xf32> "x") -> ("y") {
  %y = ax.resize %x linear sizes [1, 1, 8, 8] scales [1.0, 1.0, 2.0, 2.0] coordinates half_pixel : tensor<1x1x4x4xf32> -> tensor<1x1x8x8xf32>
  ax.return %y : tensor<1x1x8x8xf32>
}

// Rounding up takes other pixels, a factor of 3/2 repeats some only, and corners that are aligned mix in another way.
// CHECK:      ax.graph @others
// CHECK-NOT:    conv_transpose
// CHECK:        ax.return
ax.graph @others(%x: tensor<1x1x4x4xf32> "x") -> ("a", "b", "c") {
  %a = ax.resize %x nearest sizes [1, 1, 8, 8] scales [1.0, 1.0, 2.0, 2.0] coordinates asymmetric rounding ceil : tensor<1x1x4x4xf32> -> tensor<1x1x8x8xf32>
  %b = ax.resize %x nearest sizes [1, 1, 6, 6] scales [1.0, 1.0, 1.5, 1.5] coordinates asymmetric rounding floor : tensor<1x1x4x4xf32> -> tensor<1x1x6x6xf32>
  %c = ax.resize %x linear sizes [1, 1, 8, 8] scales [1.0, 1.0, 2.0, 2.0] coordinates align_corners : tensor<1x1x4x4xf32> -> tensor<1x1x8x8xf32>
  ax.return %a, %b, %c : tensor<1x1x8x8xf32>, tensor<1x1x6x6xf32>, tensor<1x1x8x8xf32>
}
