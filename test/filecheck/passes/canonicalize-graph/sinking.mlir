// RUN: ax-opt %s --split-input-file -p canonicalize-graph | filecheck %s

// A detector's scores: the transposes around a softmax cancel each other.
ax.graph @main(%x: tensor<1x8x6x5xf32> "x", %w: tensor<4x8x1x1xf32> "w") -> ("y") {
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x8x6x5xf32>, tensor<4x8x1x1xf32>) -> tensor<1x4x6x5xf32>
  %t = ax.transpose %a perm [0, 2, 3, 1] : tensor<1x4x6x5xf32> -> tensor<1x6x5x4xf32>
  %s = ax.softmax %t axis 3 : tensor<1x6x5x4xf32> -> tensor<1x6x5x4xf32>
  %y = ax.transpose %s perm [0, 3, 1, 2] : tensor<1x6x5x4xf32> -> tensor<1x4x6x5xf32>
  ax.return %y : tensor<1x4x6x5xf32>
}
// CHECK: %[[A:.*]] = ax.conv
// CHECK-NEXT: %[[S:.*]] = ax.softmax %[[A]] axis 1
// CHECK-NEXT: ax.return %[[S]]

// -----

// Through a reshape that keeps its axis, and functions of one number through anything.
ax.graph @main(%x: tensor<1x8x6x5xf32> "x", %w: tensor<4x8x1x1xf32> "w") -> ("y") {
  %two = ax.constant dense<2.0> : tensor<1x1xf32> : tensor<1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x8x6x5xf32>, tensor<4x8x1x1xf32>) -> tensor<1x4x6x5xf32>
  %r = ax.reshape %a shape [1, 4, 30] : tensor<1x4x6x5xf32> -> tensor<1x4x30xf32>
  %m = ax.mul %r, %two : (tensor<1x4x30xf32>, tensor<1x1xf32>) -> tensor<1x4x30xf32>
  %f = ax.tanh %m : tensor<1x4x30xf32> -> tensor<1x4x30xf32>
  %y = ax.softmax %f axis 1 : tensor<1x4x30xf32> -> tensor<1x4x30xf32>
  ax.return %y : tensor<1x4x30xf32>
}
// CHECK: %[[A:.*]] = ax.conv
// CHECK-NEXT: %[[F:.*]] = ax.table %[[A]]
// CHECK-NEXT: %[[S:.*]] = ax.softmax %[[F]] axis 1 : tensor<1x4x6x5xf32>
// CHECK-NEXT: ax.reshape %[[S]] shape [1, 4, 30]

// -----

// A softmax over what a reshape joins stays; so does what works on an input, or on what is used elsewhere.
ax.graph @main(%x: tensor<1x8x6x5xf32> "x", %w: tensor<4x8x1x1xf32> "w") -> ("y", "z", "v", "t") {
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x8x6x5xf32>, tensor<4x8x1x1xf32>) -> tensor<1x4x6x5xf32>
  %r = ax.reshape %a shape [1, 4, 30] : tensor<1x4x6x5xf32> -> tensor<1x4x30xf32>
  %y = ax.softmax %r axis 2 : tensor<1x4x30xf32> -> tensor<1x4x30xf32>
  %q = ax.transpose %x perm [0, 2, 3, 1] : tensor<1x8x6x5xf32> -> tensor<1x6x5x8xf32>
  %z = ax.tanh %q : tensor<1x6x5x8xf32> -> tensor<1x6x5x8xf32>
  %t = ax.transpose %a perm [0, 2, 3, 1] : tensor<1x4x6x5xf32> -> tensor<1x6x5x4xf32>
  %v = ax.tanh %t : tensor<1x6x5x4xf32> -> tensor<1x6x5x4xf32>
  ax.return %y, %z, %v, %t : tensor<1x4x30xf32>, tensor<1x6x5x8xf32>, tensor<1x6x5x4xf32>, tensor<1x6x5x4xf32>
}
// CHECK: ax.softmax {{.*}} axis 2 : tensor<1x4x30xf32>
// CHECK: ax.tanh {{.*}} : tensor<1x6x5x8xf32>
// CHECK: ax.tanh {{.*}} : tensor<1x6x5x4xf32>
