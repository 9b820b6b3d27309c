// RUN: ax-opt %s --split-input-file -p tokens-to-pixels | filecheck %s

// A product over the tokens, not over their features: tokens become channels, and its result goes back to the features.
ax.graph @main(%x: tensor<1x4x2x3xf32> "x") -> ("y") {
  %m = ax.constant dense<1.0> : tensor<6x6xf32> : tensor<6x6xf32>
  %f = ax.constant dense<1.0> : tensor<4x2xf32> : tensor<4x2xf32>
  %r = ax.reshape %x shape [1, 4, 6] : tensor<1x4x2x3xf32> -> tensor<1x4x6xf32>
  %p = ax.matmul %r, %m : (tensor<1x4x6xf32>, tensor<6x6xf32>) -> tensor<1x4x6xf32>
  %t = ax.transpose %p perm [0, 2, 1] : tensor<1x4x6xf32> -> tensor<1x6x4xf32>
  %u = ax.transpose %r perm [0, 2, 1] : tensor<1x4x6xf32> -> tensor<1x6x4xf32>
  %a = ax.add %u, %t : (tensor<1x6x4xf32>, tensor<1x6x4xf32>) -> tensor<1x6x4xf32>
  %y = ax.matmul %a, %f : (tensor<1x6x4xf32>, tensor<4x2xf32>) -> tensor<1x6x2xf32>
  ax.return %y : tensor<1x6x2xf32>
}
// CHECK: %[[T:.*]] = ax.rearrange %x split [4, 2, 3] perm [1, 2, 0] shape [1, 6, 1, 4]
// CHECK: %[[P:.*]] = ax.conv %[[T]], {{.*}} -> tensor<1x6x1x4xf32>
// CHECK: %[[X:.*]] = ax.reshape %x shape [1, 4, 1, 6]
// CHECK: %[[B:.*]] = ax.rearrange %[[P]] split [2, 3, 4] perm [2, 0, 1] shape [1, 4, 1, 6]
// CHECK: ax.add %[[X]], %[[B]]
// CHECK: ax.conv {{.*}} -> tensor<1x2x1x6xf32>

// -----

// A normalization of features where tokens are the channels.
ax.graph @main(%x: tensor<1x4x2x3xf32> "x") -> ("y") {
  %m = ax.constant dense<1.0> : tensor<6x6xf32> : tensor<6x6xf32>
  %s = ax.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32> : tensor<4xf32>
  %r = ax.reshape %x shape [1, 4, 6] : tensor<1x4x2x3xf32> -> tensor<1x4x6xf32>
  %p = ax.matmul %r, %m : (tensor<1x4x6xf32>, tensor<6x6xf32>) -> tensor<1x4x6xf32>
  %t = ax.transpose %p perm [0, 2, 1] : tensor<1x4x6xf32> -> tensor<1x6x4xf32>
  %y = ax.normalize %t scale %s : tensor<4xf32> axes [2] epsilon 1.0e-05 : tensor<1x6x4xf32> -> tensor<1x6x4xf32>
  ax.return %y : tensor<1x6x4xf32>
}
// CHECK: %[[P:.*]] = ax.conv {{.*}} -> tensor<1x6x1x4xf32>
// CHECK: %[[B:.*]] = ax.rearrange %[[P]] split [6, 4] perm [1, 0] shape [1, 4, 1, 6]
// CHECK: ax.normalize %[[B]] {{.*}} axes [1]
