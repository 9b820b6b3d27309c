// RUN: ax-opt %s --split-input-file -p tokens-to-pixels | filecheck %s

// Heads are channels: the convolution that makes queries and keys becomes two, each with the channels of both heads, in
// their order. A number behind the product goes into its factor.
ax.graph @main(%x: tensor<1x2x2x2xf32> "x") -> ("y") {
  %w = ax.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]], [[[5.0]], [[6.0]]], [[[7.0]], [[8.0]]]]> : tensor<4x2x1x1xf32> : tensor<4x2x1x1xf32>
  %both = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x2x2xf32>, tensor<4x2x1x1xf32>) -> tensor<1x4x2x2xf32>
  %heads = ax.reshape %both shape [1, 2, 2, 4] : tensor<1x4x2x2xf32> -> tensor<1x2x2x4xf32>
  %q = ax.slice %heads starts [0, 0, 0, 0] ends [1, 2, 1, 4] steps [1, 1, 1, 1] : tensor<1x2x2x4xf32> -> tensor<1x2x1x4xf32>
  %k = ax.slice %heads starts [0, 0, 1, 0] ends [1, 2, 2, 4] steps [1, 1, 1, 1] : tensor<1x2x2x4xf32> -> tensor<1x2x1x4xf32>
  %t = ax.transpose %q perm [0, 1, 3, 2] : tensor<1x2x1x4xf32> -> tensor<1x2x4x1xf32>
  %s = ax.matmul %t, %k : (tensor<1x2x4x1xf32>, tensor<1x2x1x4xf32>) -> tensor<1x2x4x4xf32>
  %half = ax.constant dense<0.5> : tensor<f32> : tensor<f32>
  %y = ax.mul %s, %half : (tensor<1x2x4x4xf32>, tensor<f32>) -> tensor<1x2x4x4xf32>
  ax.return %y : tensor<1x2x4x4xf32>
}
// CHECK-LABEL: ax.graph @main
// CHECK-DAG: [[WQ:%.*]] = ax.constant dense<[{{\[\[\[}}1.000000e+00]], {{\[\[}}2.000000e+00]]], {{\[\[\[}}5.000000e+00]], {{\[\[}}6.000000e+00]]]]>
// CHECK-DAG: [[WK:%.*]] = ax.constant dense<[{{\[\[\[}}3.000000e+00]], {{\[\[}}4.000000e+00]]], {{\[\[\[}}7.000000e+00]], {{\[\[}}8.000000e+00]]]]>
// CHECK-DAG: [[Q:%.*]] = ax.conv %x, [[WQ]]
// CHECK-DAG: [[K:%.*]] = ax.conv %x, [[WK]]
// CHECK:     [[S:%.*]] = ax.head_matmul [[Q]], [[K]] heads 2 transpose true factor 5.000000e-01 : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x4x4x2xf32>
// CHECK-NOT: ax.matmul
// CHECK-NOT: ax.slice

// -----

// Tokens come and go as they were; between, a linear layer is a convolution and a normalization is over channels.
ax.graph @main(%x: tensor<1x3x2xf32> "x") -> ("y") {
  %w = ax.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> : tensor<2x2xf32>
  %b = ax.constant dense<[5.0, 6.0]> : tensor<2xf32> : tensor<2xf32>
  %n = ax.normalize %x scale %b : tensor<2xf32> axes [2] epsilon 1.0e-5 : tensor<1x3x2xf32> -> tensor<1x3x2xf32>
  %m = ax.matmul %n, %w : (tensor<1x3x2xf32>, tensor<2x2xf32>) -> tensor<1x3x2xf32>
  %y = ax.add %m, %b : (tensor<1x3x2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  ax.return %y : tensor<1x3x2xf32>
}
// CHECK-LABEL: ax.graph @main
// CHECK:      [[T:%.*]] = ax.transpose %x perm [2, 0, 1]
// CHECK:      [[P:%.*]] = ax.reshape [[T]] shape [1, 2, 1, 3]
// CHECK:      ax.normalize [[P]] scale {{.*}} axes [1]
// CHECK:      [[C:%.*]] = ax.conv {{.*}} bias
// CHECK:      ax.transpose
// CHECK-NOT:  ax.matmul
// CHECK-NOT:  ax.add

// -----

// No product of two tensors, no tokens: it stays as it is, even what canonicalize-graph would fold.
ax.graph @main(%x: tensor<1x3x2x2xf32> "x") -> ("y") {
  %one = ax.constant dense<1.0> : tensor<f32> : tensor<f32>
  %m = ax.mul %x, %one : (tensor<1x3x2x2xf32>, tensor<f32>) -> tensor<1x3x2x2xf32>
  %y = ax.reshape %m shape [1, 12] : tensor<1x3x2x2xf32> -> tensor<1x12xf32>
  ax.return %y : tensor<1x12xf32>
}
// CHECK-LABEL: ax.graph @main
// CHECK: ax.mul
// CHECK: ax.reshape
