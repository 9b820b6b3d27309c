// RUN: ax-opt %s -p global-to-window-pool | filecheck %s

// CHECK:      ax.graph @global
// CHECK-NEXT:   [[A:%.*]] = ax.avg_pool %x kernel [4, 5] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] count_include_pad false
// CHECK-NEXT:   [[B:%.*]] = ax.max_pool %x kernel [4, 5] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]
// CHECK-NEXT:   ax.return [[A]], [[B]]
ax.graph @global(%x: tensor<1x2x4x5xf32> "x") -> ("y", "z") {
  %y = ax.global_avg_pool %x : tensor<1x2x4x5xf32> -> tensor<1x2x1x1xf32>
  %z = ax.global_max_pool %x : tensor<1x2x4x5xf32> -> tensor<1x2x1x1xf32>
  ax.return %y, %z : tensor<1x2x1x1xf32>, tensor<1x2x1x1xf32>
}

// CHECK:      ax.graph @mean
// CHECK-NEXT:   [[A:%.*]] = ax.avg_pool %x kernel [4, 5]
// CHECK-NEXT:   [[B:%.*]] = ax.avg_pool %x kernel [4, 5]
// CHECK-NEXT:   [[C:%.*]] = ax.reshape [[B]] shape [1, 2]
// CHECK-NEXT:   [[D:%.*]] = ax.avg_pool %x kernel [1, 5]
// CHECK-NEXT:   ax.return [[A]], [[C]], [[D]]
ax.graph @mean(%x: tensor<1x2x4x5xf32> "x") -> ("y", "z", "w") {
  %y = ax.reduce %x mean axes [2, 3] keepdims true : tensor<1x2x4x5xf32> -> tensor<1x2x1x1xf32>
  %z = ax.reduce %x mean axes [3, 2] keepdims false : tensor<1x2x4x5xf32> -> tensor<1x2xf32>
  %w = ax.reduce %x mean axes [3] keepdims true : tensor<1x2x4x5xf32> -> tensor<1x2x4x1xf32>
  ax.return %y, %z, %w : tensor<1x2x1x1xf32>, tensor<1x2xf32>, tensor<1x2x4x1xf32>
}

// The reshape that a mean over dropped axes needs meets the one back.
// CHECK:      ax.graph @mean_and_back
// CHECK-NEXT:   [[A:%.*]] = ax.avg_pool %x kernel [4, 5]
// CHECK-NEXT:   ax.return [[A]]
ax.graph @mean_and_back(%x: tensor<1x2x4x5xf32> "x") -> ("y") {
  %y = ax.reduce %x mean axes [2, 3] keepdims false : tensor<1x2x4x5xf32> -> tensor<1x2xf32>
  %z = ax.reshape %y shape [1, 2, 1, 1] : tensor<1x2xf32> -> tensor<1x2x1x1xf32>
  ax.return %z : tensor<1x2x1x1xf32>
}

// A mean over channels is no window, and a tensor of rank 3 has no height and width.
// CHECK:      ax.graph @others
// CHECK-NEXT:   ax.reduce %x mean axes [1, 2, 3]
// CHECK-NEXT:   ax.reduce %y mean axes [2]
// CHECK-NEXT:   ax.global_avg_pool %y
ax.graph @others(%x: tensor<1x2x4x5xf32> "x", %y: tensor<1x2x4xf32> "y") -> ("u", "v", "w") {
  %u = ax.reduce %x mean axes [1, 2, 3] keepdims true : tensor<1x2x4x5xf32> -> tensor<1x1x1x1xf32>
  %v = ax.reduce %y mean axes [2] keepdims true : tensor<1x2x4xf32> -> tensor<1x2x1xf32>
  %w = ax.global_avg_pool %y : tensor<1x2x4xf32> -> tensor<1x2x1xf32>
  ax.return %u, %v, %w : tensor<1x1x1x1xf32>, tensor<1x2x1xf32>, tensor<1x2x1xf32>
}

// CHECK:      ax.graph @max
// CHECK-NEXT:   [[A:%.*]] = ax.max_pool %x kernel [4, 1]
// CHECK-NEXT:   [[B:%.*]] = ax.max_pool %x kernel [4, 5]
// CHECK-NEXT:   [[C:%.*]] = ax.reshape [[B]] shape [1, 2]
// CHECK-NEXT:   [[D:%.*]] = ax.reduce %x min axes [2]
// CHECK-NEXT:   ax.return [[A]], [[C]], [[D]]
ax.graph @max(%x: tensor<1x2x4x5xf32> "x") -> ("y", "z", "w") {
  %y = ax.reduce %x max axes [2] keepdims true : tensor<1x2x4x5xf32> -> tensor<1x2x1x5xf32>
  %z = ax.reduce %x max axes [2, 3] keepdims false : tensor<1x2x4x5xf32> -> tensor<1x2xf32>
  %w = ax.reduce %x min axes [2] keepdims true : tensor<1x2x4x5xf32> -> tensor<1x2x1x5xf32>
  ax.return %y, %z, %w : tensor<1x2x1x5xf32>, tensor<1x2xf32>, tensor<1x2x1x5xf32>
}
