// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// The four slices of YOLOv5's focus, and the convolution after it: one convolution with twice its kernel, strides, pads.
// CHECK:      ax.graph @focus
// CHECK-NEXT:   [[W:%.*]] = ax.constant {{.*}} : tensor<1x2x6x6xf32>
// CHECK-NEXT:   [[Y:%.*]] = ax.conv %x, [[W]] strides [2, 2] pads [2, 2, 2, 2] dilations [1, 1] group 1 : (tensor<1x2x4x4xf32>, tensor<1x2x6x6xf32>) -> tensor<1x1x2x2xf32>
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @focus(%x: tensor<1x2x4x4xf32> "x") -> ("y") {
  %w = ax.constant dense<0.5> : tensor<1x8x3x3xf32> : tensor<1x8x3x3xf32>
  %a = ax.slice %x starts [0, 0, 0, 0] ends [1, 2, 4, 4] steps [1, 1, 2, 2] : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  %b = ax.slice %x starts [0, 0, 1, 0] ends [1, 2, 4, 4] steps [1, 1, 2, 2] : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  %c = ax.slice %x starts [0, 0, 0, 1] ends [1, 2, 4, 4] steps [1, 1, 2, 2] : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  %d = ax.slice %x starts [0, 0, 1, 1] ends [1, 2, 4, 4] steps [1, 1, 2, 2] : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  %e = ax.concat %a, %b, %c, %d axis 1 : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x8x2x2xf32>
  %y = ax.conv %e, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 : (tensor<1x8x2x2xf32>, tensor<1x8x3x3xf32>) -> tensor<1x1x2x2xf32>
  ax.return %y : tensor<1x1x2x2xf32>
}

// CHECK:      ax.graph @shuffles
// CHECK:        [[U:%.*]] = ax.conv_transpose %x, {{.*}} strides [2, 2] pads [0, 0, 0, 0] output_padding [0, 0] dilations [1, 1] group 1
// CHECK:        [[D:%.*]] = ax.conv [[U]], {{.*}} strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] group 1
// CHECK-NEXT:   ax.return [[D]]
ax.graph @shuffles(%x: tensor<1x8x2x2xf32> "x") -> ("y") {
  %u = ax.depth_to_space %x block 2 order crd : tensor<1x8x2x2xf32> -> tensor<1x2x4x4xf32>
  %d = ax.space_to_depth %u block 2 order dcr : tensor<1x2x4x4xf32> -> tensor<1x8x2x2xf32>
  ax.return %d : tensor<1x8x2x2xf32>
}

// Channels in another order, after a convolution: its weights in that order.
// CHECK:      ax.graph @gathered
// CHECK-NEXT:   [[W:%.*]] = ax.constant dense<{{.*}}> : tensor<3x1x1x1xf32>
// CHECK-NEXT:   [[Y:%.*]] = ax.conv %x, [[W]]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @gathered(%x: tensor<1x1x2x2xf32> "x") -> ("y") {
  %w = ax.constant dense<[[[[1.0]]], [[[2.0]]]]> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  %y = ax.gather %a axis 1 indices [1, 0, 1] : tensor<1x2x2x2xf32> -> tensor<1x3x2x2xf32>
  ax.return %y : tensor<1x3x2x2xf32>
}
