// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// CHECK:      ax.graph @nearest
// CHECK-NEXT:   [[W:%.*]] = ax.constant dense<1.000000e+00> : tensor<2x1x2x3xf32>
// CHECK-NEXT:   [[Y:%.*]] = ax.conv_transpose %x, [[W]] strides [2, 3] pads [0, 0, 0, 0] output_padding [0, 0] dilations [1, 1] group 2
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @nearest(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %scales = ax.constant dense<[1.0, 1.0, 2.0, 3.0]> : tensor<4xf32> : tensor<4xf32>
  %y = ax.onnx "Resize"(%x, %scales) opset 13 present [1, 0, 1] with {coordinate_transformation_mode = "asymmetric", mode = "nearest", nearest_mode = "floor"} : (tensor<1x2x3x3xf32>, tensor<4xf32>) -> tensor<1x2x6x9xf32>
  ax.return %y : tensor<1x2x6x9xf32>
}

// Half-pixel coordinates, rounded to the nearest pixel, repeat pixels as well; older versions always do.
// CHECK:      ax.graph @nearest_otherwise
// CHECK:        [[A:%.*]] = ax.conv_transpose %x, {{.*}} strides [2, 2]
// CHECK:        [[B:%.*]] = ax.conv_transpose [[A]], {{.*}} strides [2, 1]
// CHECK-NEXT:   ax.return [[B]]
ax.graph @nearest_otherwise(%x: tensor<1x1x3x3xf32> "x") -> ("y") {
  %sizes = ax.constant dense<[1, 1, 6, 6]> : tensor<4xi64> : tensor<4xi64>
  %scales = ax.constant dense<[1.0, 1.0, 2.0, 1.0]> : tensor<4xf32> : tensor<4xf32>
  %a = ax.onnx "Resize"(%x, %sizes) opset 13 present [1, 0, 0, 1] with {coordinate_transformation_mode = "half_pixel", mode = "nearest", nearest_mode = "round_prefer_floor"} : (tensor<1x1x3x3xf32>, tensor<4xi64>) -> tensor<1x1x6x6xf32>
  %b = ax.onnx "Upsample"(%a, %scales) opset 9 present [1, 1] with {mode = "nearest"} : (tensor<1x1x6x6xf32>, tensor<4xf32>) -> tensor<1x1x12x6xf32>
  ax.return %b : tensor<1x1x12x6xf32>
}

// Rounding up takes other pixels, a factor of 3/2 repeats some only, and linear interpolation mixes them.
// CHECK:      ax.graph @others
// CHECK-NOT:    conv_transpose
// CHECK:        ax.return
ax.graph @others(%x: tensor<1x1x4x4xf32> "x") -> ("a", "b", "c") {
  %twice = ax.constant dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32> : tensor<4xf32>
  %half = ax.constant dense<[1.0, 1.0, 1.5, 1.5]> : tensor<4xf32> : tensor<4xf32>
  %a = ax.onnx "Resize"(%x, %twice) opset 13 present [1, 0, 1] with {coordinate_transformation_mode = "asymmetric", mode = "nearest", nearest_mode = "ceil"} : (tensor<1x1x4x4xf32>, tensor<4xf32>) -> tensor<1x1x8x8xf32>
  %b = ax.onnx "Resize"(%x, %half) opset 13 present [1, 0, 1] with {coordinate_transformation_mode = "asymmetric", mode = "nearest", nearest_mode = "floor"} : (tensor<1x1x4x4xf32>, tensor<4xf32>) -> tensor<1x1x6x6xf32>
  %c = ax.onnx "Resize"(%x, %twice) opset 13 present [1, 0, 1] with {coordinate_transformation_mode = "half_pixel", mode = "linear"} : (tensor<1x1x4x4xf32>, tensor<4xf32>) -> tensor<1x1x8x8xf32>
  ax.return %a, %b, %c : tensor<1x1x8x8xf32>, tensor<1x1x6x6xf32>, tensor<1x1x8x8xf32>
}
