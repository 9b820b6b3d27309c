// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// CHECK:      ax.graph @strides
// CHECK-NEXT:   [[A:%.*]] = ax.slice %x starts [0, 1, 1, 0] ends [1, 6, 8, 7] steps [1, 2, 1, 1]
// CHECK-NEXT:   [[B:%.*]] = ax.max_pool [[A]] kernel [1, 1] strides [3, 2] pads [0, 0, 0, 0] dilations [1, 1]
// CHECK-NEXT:   ax.return [[B]]
ax.graph @strides(%x: tensor<1x6x9x7xf32> "x") -> ("y") {
  %y = ax.slice %x starts [0, 1, 1, 0] ends [1, 6, 9, 7] steps [1, 2, 3, 2] : tensor<1x6x9x7xf32> -> tensor<1x3x3x4xf32>
  ax.return %y : tensor<1x3x3x4xf32>
}

// A sum is a mean times the number of its elements.
// CHECK:      ax.graph @sums
// CHECK-NEXT:   [[W:%.*]] = ax.constant dense<1.000000e+00> : tensor<1x6x1x1xf32>
// CHECK-NEXT:   [[A:%.*]] = ax.conv %x, [[W]] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
// CHECK-NEXT:   [[M:%.*]] = ax.reduce %x mean axes [2, 3] keepdims true
// CHECK-NEXT:   [[V:%.*]] = ax.constant dense<6.300000e+01> : tensor<6x1x1x1xf32>
// CHECK-NEXT:   [[B:%.*]] = ax.conv [[M]], [[V]] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 6
// CHECK-NEXT:   [[C:%.*]] = ax.reshape [[B]] shape [1, 6]
// CHECK-NEXT:   ax.return [[A]], [[C]]
ax.graph @sums(%x: tensor<1x6x9x7xf32> "x") -> ("y", "z") {
  %y = ax.reduce %x sum axes [1] keepdims true : tensor<1x6x9x7xf32> -> tensor<1x1x9x7xf32>
  %z = ax.reduce %x sum axes [2, 3] keepdims false : tensor<1x6x9x7xf32> -> tensor<1x6xf32>
  ax.return %y, %z : tensor<1x1x9x7xf32>, tensor<1x6xf32>
}

// CHECK:      ax.graph @mean
// CHECK-NEXT:   [[M:%.*]] = ax.reduce %x mean axes [3] keepdims true
// CHECK-NEXT:   [[W:%.*]] = ax.constant dense<2.500000e-01> : tensor<1x4x1x1xf32>
// CHECK-NEXT:   [[A:%.*]] = ax.conv [[M]], [[W]]
// CHECK-NEXT:   ax.return [[A]]
ax.graph @mean(%x: tensor<1x4x9x7xf32> "x") -> ("y") {
  %y = ax.reduce %x mean axes [1, 3] keepdims true : tensor<1x4x9x7xf32> -> tensor<1x1x9x1xf32>
  ax.return %y : tensor<1x1x9x1xf32>
}

// CHECK:      ax.graph @groups
// CHECK-NEXT:   [[W:%.*]] = ax.constant dense<{{\[\[\[\[1.000000e\+00\]\], \[\[0.000000e\+00\]\]\], \[\[\[2.000000e\+00\]\], \[\[0.000000e\+00\]\]\], \[\[\[0.000000e\+00\]\], \[\[3.000000e\+00\]\]\], \[\[\[0.000000e\+00\]\], \[\[4.000000e\+00\]\]\]\]}}>
// CHECK-NEXT:   [[A:%.*]] = ax.conv_transpose %x, [[W]] strides [2, 2] pads [0, 0, 0, 0] output_padding [1, 0] dilations [1, 1] group 1
// CHECK-NEXT:   ax.return [[A]]
ax.graph @groups(%x: tensor<1x4x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<[[[[1.0]]], [[[2.0]]], [[[3.0]]], [[[4.0]]]]> : tensor<4x1x1x1xf32> : tensor<4x1x1x1xf32>
  %y = ax.conv_transpose %x, %w strides [2, 2] pads [0, 0, 0, 0] output_padding [1, 0] dilations [1, 1] group 2 : (tensor<1x4x3x3xf32>, tensor<4x1x1x1xf32>) -> tensor<1x2x6x5xf32>
  ax.return %y : tensor<1x2x6x5xf32>
}

// Where windows at the border count fewer taps, the mean stays.
// CHECK:      ax.graph @dilations
// CHECK-NEXT:   [[W:%.*]] = ax.constant dense<2.500000e-01> : tensor<2x1x2x2xf32>
// CHECK-NEXT:   [[A:%.*]] = ax.conv %x, [[W]] strides [2, 1] pads [1, 0, 1, 0] dilations [2, 1] group 2
// CHECK-NEXT:   [[B:%.*]] = ax.avg_pool %x
// CHECK-NEXT:   ax.return [[A]], [[B]]
ax.graph @dilations(%x: tensor<1x2x6x6xf32> "x") -> ("y", "z") {
  %y = ax.avg_pool %x kernel [2, 2] strides [2, 1] pads [1, 0, 1, 0] dilations [2, 1] count_include_pad true : tensor<1x2x6x6xf32> -> tensor<1x2x3x5xf32>
  %z = ax.avg_pool %x kernel [2, 2] strides [2, 1] pads [1, 0, 1, 0] dilations [2, 1] count_include_pad false : tensor<1x2x6x6xf32> -> tensor<1x2x3x5xf32>
  ax.return %y, %z : tensor<1x2x3x5xf32>, tensor<1x2x3x5xf32>
}

// The device has no minimum, and only batches of 1.
// CHECK:      ax.graph @others
// CHECK-NEXT:   [[A:%.*]] = ax.reduce %x min axes [1]
// CHECK-NEXT:   [[B:%.*]] = ax.reduce %z sum axes [1]
// CHECK-NEXT:   ax.return [[A]], [[B]]
ax.graph @others(%x: tensor<1x4x3x3xf32> "x", %z: tensor<2x4x3x3xf32> "z") -> ("a", "b") {
  %a = ax.reduce %x min axes [1] keepdims true : tensor<1x4x3x3xf32> -> tensor<1x1x3x3xf32>
  %b = ax.reduce %z sum axes [1] keepdims true : tensor<2x4x3x3xf32> -> tensor<2x1x3x3xf32>
  ax.return %a, %b : tensor<1x1x3x3xf32>, tensor<2x1x3x3xf32>
}

// The least of each map is the negative of the greatest of its negative.
// CHECK:      ax.graph @minimum
// CHECK:        [[N:%.*]] = ax.conv %x, {{.*}} group 2
// CHECK-NEXT:   [[M:%.*]] = ax.reduce [[N]] max axes [2, 3] keepdims true
// CHECK:        [[L:%.*]] = ax.conv [[M]], {{.*}} group 2
// CHECK-NEXT:   ax.reshape [[L]] shape [1, 2]
ax.graph @minimum(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %y = ax.reduce %x min axes [2, 3] keepdims false : tensor<1x2x3x3xf32> -> tensor<1x2xf32>
  ax.return %y : tensor<1x2xf32>
}
