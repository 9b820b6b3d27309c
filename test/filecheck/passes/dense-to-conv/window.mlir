// RUN: ax-opt %s -p dense-to-conv | filecheck %s

// CHECK:      ax.graph @flatten
// CHECK-NEXT:   [[W:%.*]] = ax.constant dense<{{\[\[\[\[}}1.000000e+00, 2.000000e+00], [3.000000e+00, 4.000000e+00]], {{\[\[}}5.000000e+00, 6.000000e+00], [7.000000e+00, 8.000000e+00]]]]> : tensor<1x2x2x2xf32>
// CHECK-NEXT:   [[V:%.*]] = ax.conv %x, [[W]] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
// CHECK-NEXT:   [[Y:%.*]] = ax.reshape [[V]] shape [1, 1]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @flatten(%x: tensor<1x2x2x2xf32> "x") -> ("y") {
  %f = ax.reshape %x shape [1, 8] : tensor<1x2x2x2xf32> -> tensor<1x8xf32>
  %b = ax.constant dense<[[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [8.0]]> : tensor<8x1xf32> : tensor<8x1xf32>
  %y = ax.matmul %f, %b : (tensor<1x8xf32>, tensor<8x1xf32>) -> tensor<1x1xf32>
  ax.return %y : tensor<1x1xf32>
}

// A network that was channels-last flattens after a transpose: the weights are reordered instead.
// CHECK:      ax.graph @flatten_channels_last
// CHECK-NEXT:   [[W:%.*]] = ax.constant dense<{{\[\[\[\[}}1.000000e+00, 3.000000e+00], [5.000000e+00, 7.000000e+00]], {{\[\[}}2.000000e+00, 4.000000e+00], [6.000000e+00, 8.000000e+00]]]]> : tensor<1x2x2x2xf32>
// CHECK-NEXT:   [[V:%.*]] = ax.conv %x, [[W]]
// CHECK-NEXT:   [[Y:%.*]] = ax.reshape [[V]] shape [1, 1]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @flatten_channels_last(%x: tensor<1x2x2x2xf32> "x") -> ("y") {
  %t = ax.transpose %x perm [0, 2, 3, 1] : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %f = ax.reshape %t shape [1, 8] : tensor<1x2x2x2xf32> -> tensor<1x8xf32>
  %b = ax.constant dense<[[1.0], [2.0], [3.0], [4.0], [5.0], [6.0], [7.0], [8.0]]> : tensor<8x1xf32> : tensor<8x1xf32>
  %y = ax.matmul %f, %b : (tensor<1x8xf32>, tensor<8x1xf32>) -> tensor<1x1xf32>
  ax.return %y : tensor<1x1xf32>
}

// A batch norm of all pixels before the layer goes into its weights: (x * 2 + 1) * 3.
// CHECK:      ax.graph @scaled_pixels
// CHECK-DAG:    [[W:%.*]] = ax.constant dense<6.000000e+00> : tensor<1x1x2x2xf32>
// CHECK-DAG:    [[B:%.*]] = ax.constant dense<1.200000e+01> : tensor<1xf32>
// CHECK:        [[V:%.*]] = ax.conv %x, [[W]] bias [[B]]
// CHECK-NEXT:   ax.reshape [[V]] shape [1, 1]
ax.graph @scaled_pixels(%x: tensor<1x1x2x2xf32> "x") -> ("y") {
  %f = ax.reshape %x shape [1, 4] : tensor<1x1x2x2xf32> -> tensor<1x4xf32>
  %two = ax.constant dense<2.0> : tensor<4xf32> : tensor<4xf32>
  %one = ax.constant dense<1.0> : tensor<4xf32> : tensor<4xf32>
  %zero = ax.constant dense<0.0> : tensor<4xf32> : tensor<4xf32>
  %n = ax.batch_norm %f scale %two bias %one mean %zero variance %one epsilon 0.0 : (tensor<1x4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4xf32>
  %b = ax.constant dense<3.0> : tensor<4x1xf32> : tensor<4x1xf32>
  %y = ax.matmul %n, %b : (tensor<1x4xf32>, tensor<4x1xf32>) -> tensor<1x1xf32>
  ax.return %y : tensor<1x1xf32>
}

// The gate of a squeeze-and-excitation block, made of dense layers, stays [1, C, 1, 1] all the way.
// CHECK:      ax.graph @gate
// CHECK-NEXT:   [[P:%.*]] = ax.global_avg_pool %x
// CHECK-NEXT:   [[W:%.*]] = ax.constant
// CHECK-NEXT:   [[V:%.*]] = ax.conv [[P]], [[W]]
// CHECK-NEXT:   [[S:%.*]] = ax.sigmoid [[V]] : tensor<1x2x1x1xf32>
// CHECK-NEXT:   [[Y:%.*]] = ax.mul %x, [[S]]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @gate(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %p = ax.global_avg_pool %x : tensor<1x2x3x3xf32> -> tensor<1x2x1x1xf32>
  %f = ax.reshape %p shape [1, 2] : tensor<1x2x1x1xf32> -> tensor<1x2xf32>
  %b = ax.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> : tensor<2x2xf32>
  %m = ax.matmul %f, %b : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %s = ax.sigmoid %m : tensor<1x2xf32> -> tensor<1x2xf32>
  %g = ax.reshape %s shape [1, 2, 1, 1] : tensor<1x2xf32> -> tensor<1x2x1x1xf32>
  %y = ax.mul %x, %g : (tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  ax.return %y : tensor<1x2x3x3xf32>
}

// Two heads joined on rank 2 are joined as channels.
// CHECK:      ax.graph @heads
// CHECK:        [[A:%.*]] = ax.conv %x
// CHECK:        [[B:%.*]] = ax.conv %x
// CHECK:        [[C:%.*]] = ax.concat [[A]], [[B]] axis 1 : (tensor<1x1x1x1xf32>, tensor<1x2x1x1xf32>) -> tensor<1x3x1x1xf32>
// CHECK-NEXT:   [[Y:%.*]] = ax.reshape [[C]] shape [1, 3]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @heads(%x: tensor<1x1x2x2xf32> "x") -> ("y") {
  %f = ax.reshape %x shape [1, 4] : tensor<1x1x2x2xf32> -> tensor<1x4xf32>
  %v = ax.constant dense<2.0> : tensor<4x1xf32> : tensor<4x1xf32>
  %w = ax.constant dense<3.0> : tensor<4x2xf32> : tensor<4x2xf32>
  %a = ax.matmul %f, %v : (tensor<1x4xf32>, tensor<4x1xf32>) -> tensor<1x1xf32>
  %b = ax.matmul %f, %w : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32>
  %c = ax.concat %a, %b axis 1 : (tensor<1x1xf32>, tensor<1x2xf32>) -> tensor<1x3xf32>
  ax.return %c : tensor<1x3xf32>
}

// A softmax over the classes is one over channels.
// CHECK:      ax.graph @softmax
// CHECK:        [[V:%.*]] = ax.conv
// CHECK-NEXT:   [[S:%.*]] = ax.softmax [[V]] axis 1
// CHECK-NEXT:   ax.reshape [[S]] shape [1, 2]
ax.graph @softmax(%x: tensor<1x1x2x2xf32> "x") -> ("y") {
  %f = ax.reshape %x shape [1, 4] : tensor<1x1x2x2xf32> -> tensor<1x4xf32>
  %w = ax.constant dense<3.0> : tensor<4x2xf32> : tensor<4x2xf32>
  %b = ax.matmul %f, %w : (tensor<1x4xf32>, tensor<4x2xf32>) -> tensor<1x2xf32>
  %y = ax.softmax %b axis 1 : tensor<1x2xf32> -> tensor<1x2xf32>
  ax.return %y : tensor<1x2xf32>
}
