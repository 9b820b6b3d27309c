// RUN: ax-opt %s --split-input-file -p rearrange | filecheck %s

// Channels become rows, of which a pool takes the greatest.
ax.graph @main(%x: tensor<1x8x6x4xf32> "x", %w: tensor<4x8x1x1xf32> "w", %v: tensor<2x1x1x1xf32> "v") -> ("y") {
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x8x6x4xf32>, tensor<4x8x1x1xf32>) -> tensor<1x4x6x4xf32>
  %m = ax.reduce %a max axes [1] keepdims true : tensor<1x4x6x4xf32> -> tensor<1x1x6x4xf32>
  %y = ax.conv %m, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x6x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x6x4xf32>
  ax.return %y : tensor<1x2x6x4xf32>
}
// CHECK: %[[A:.*]] = ax.conv
// CHECK-NEXT: %[[T:.*]] = ax.rearrange %[[A]] split [4, 6, 4] perm [1, 0, 2] shape [1, 6, 4, 4]
// CHECK-NEXT: %[[P:.*]] = ax.max_pool %[[T]] kernel [4, 1]
// CHECK-NEXT: %[[B:.*]] = ax.rearrange %[[P]]
// CHECK-SAME: -> tensor<1x1x6x4xf32>
// CHECK-NEXT: ax.conv %[[B]]

// -----

// At the end it stays the host's.
// CHECK: ax.reduce {{.*}} max
ax.graph @main(%x: tensor<1x8x6x4xf32> "x", %w: tensor<4x8x1x1xf32> "w") -> ("y") {
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x8x6x4xf32>, tensor<4x8x1x1xf32>) -> tensor<1x4x6x4xf32>
  %y = ax.reduce %a max axes [1] keepdims true : tensor<1x4x6x4xf32> -> tensor<1x1x6x4xf32>
  ax.return %y : tensor<1x1x6x4xf32>
}
