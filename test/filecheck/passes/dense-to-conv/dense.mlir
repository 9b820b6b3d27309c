// RUN: ax-opt %s -p dense-to-conv | filecheck %s

// 2 * a * b^T + 3 * c
// CHECK:      ax.graph @gemm
// CHECK-DAG:    [[W:%.*]] = ax.constant dense<[{{\[\[\[}}2.000000e+00]], {{\[\[}}4.000000e+00]], {{\[\[}}6.000000e+00]]], {{\[\[\[}}8.000000e+00]], {{\[\[}}1.000000e+01]], {{\[\[}}1.200000e+01]]]]> : tensor<2x3x1x1xf32>
// CHECK-DAG:    [[B:%.*]] = ax.constant dense<[3.000000e+00, 6.000000e+00]> : tensor<2xf32>
// CHECK-DAG:    [[X:%.*]] = ax.reshape %x shape [1, 3, 1, 1]
// CHECK:        [[V:%.*]] = ax.conv [[X]], [[W]] bias [[B]] : tensor<2xf32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
// CHECK-NEXT:   [[Y:%.*]] = ax.reshape [[V]] shape [1, 2]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @gemm(%x: tensor<1x3xf32> "x") -> ("y") {
  %b = ax.constant dense<[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]> : tensor<2x3xf32> : tensor<2x3xf32>
  %c = ax.constant dense<[1.0, 2.0]> : tensor<2xf32> : tensor<2xf32>
  %y = ax.gemm %x, %b plus %c : tensor<2xf32> alpha 2.0 beta 3.0 trans_a false trans_b true : (tensor<1x3xf32>, tensor<2x3xf32>) -> tensor<1x2xf32>
  ax.return %y : tensor<1x2xf32>
}

// A column is a row, a matrix not transposed is, and a scalar bias is one for every output.
// CHECK:      ax.graph @gemm_transposed
// CHECK-DAG:    [[W:%.*]] = ax.constant dense<[{{\[\[\[}}1.000000e+00]], {{\[\[}}3.000000e+00]]], {{\[\[\[}}2.000000e+00]], {{\[\[}}4.000000e+00]]]]> : tensor<2x2x1x1xf32>
// CHECK-DAG:    [[B:%.*]] = ax.constant dense<5.000000e+00> : tensor<2xf32>
// CHECK-DAG:    [[X:%.*]] = ax.reshape %x shape [1, 2, 1, 1]
// CHECK:        ax.conv [[X]], [[W]] bias [[B]]
ax.graph @gemm_transposed(%x: tensor<2x1xf32> "x") -> ("y") {
  %b = ax.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> : tensor<2x2xf32>
  %c = ax.constant dense<5.0> : tensor<f32> : tensor<f32>
  %y = ax.gemm %x, %b plus %c : tensor<f32> alpha 1.0 beta 1.0 trans_a true trans_b false : (tensor<2x1xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  ax.return %y : tensor<1x2xf32>
}

// matmul, add, batch_norm and relu on rank 2, then another layer: two convolutions with nothing between them but relu.
// CHECK:      ax.graph @layers
// CHECK-DAG:    [[X:%.*]] = ax.reshape %x shape [1, 2, 1, 1]
// CHECK-DAG:    [[W:%.*]] = ax.constant dense<6.000000e+00> : tensor<2x2x1x1xf32>
// CHECK-DAG:    [[B:%.*]] = ax.constant dense<[7.000000e+00, 1.300000e+01]> : tensor<2xf32>
// CHECK:        [[V:%.*]] = ax.conv [[X]], [[W]] bias [[B]]
// CHECK:        [[R:%.*]] = ax.relu [[V]] : tensor<1x2x1x1xf32>
// CHECK:        [[Z:%.*]] = ax.conv [[R]],
// CHECK-NEXT:   [[Y:%.*]] = ax.reshape [[Z]] shape [1, 1, 1]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @layers(%x: tensor<1x2xf32> "x") -> ("y") {
  %a = ax.constant dense<3.0> : tensor<2x2xf32> : tensor<2x2xf32>
  %t = ax.constant dense<[1.0, 4.0]> : tensor<2xf32> : tensor<2xf32>
  %zero = ax.constant dense<0.0> : tensor<2xf32> : tensor<2xf32>
  %two = ax.constant dense<2.0> : tensor<2xf32> : tensor<2xf32>
  %five = ax.constant dense<5.0> : tensor<2xf32> : tensor<2xf32>
  %one = ax.constant dense<1.0> : tensor<2xf32> : tensor<2xf32>
  %b = ax.constant dense<1.0> : tensor<1x2x1xf32> : tensor<1x2x1xf32>
  %m = ax.matmul %x, %a : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %s = ax.add %m, %t : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %n = ax.batch_norm %s scale %two bias %five mean %zero variance %one epsilon 0.0 : (tensor<1x2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %r = ax.relu %n : tensor<1x2xf32> -> tensor<1x2xf32>
  %u = ax.reshape %r shape [1, 1, 2] : tensor<1x2xf32> -> tensor<1x1x2xf32>
  %y = ax.matmul %u, %b : (tensor<1x1x2xf32>, tensor<1x2x1xf32>) -> tensor<1x1x1xf32>
  ax.return %y : tensor<1x1x1xf32>
}

// Several rows, a computed matrix, or a computed bias are no dense layer of a vector.
// CHECK:      ax.graph @others
// CHECK:        ax.gemm %x
// CHECK:        ax.matmul %y, %z
// CHECK:        ax.gemm %y
ax.graph @others(%x: tensor<2x3xf32> "x", %y: tensor<1x3xf32> "y", %z: tensor<3x2xf32> "z", %c: tensor<2xf32> "c") -> ("u", "v", "w") {
  %b = ax.constant dense<1.0> : tensor<3x2xf32> : tensor<3x2xf32>
  %u = ax.gemm %x, %b alpha 1.0 beta 1.0 trans_a false trans_b false : (tensor<2x3xf32>, tensor<3x2xf32>) -> tensor<2x2xf32>
  %v = ax.matmul %y, %z : (tensor<1x3xf32>, tensor<3x2xf32>) -> tensor<1x2xf32>
  %w = ax.gemm %y, %b plus %c : tensor<2xf32> alpha 1.0 beta 1.0 trans_a false trans_b false : (tensor<1x3xf32>, tensor<3x2xf32>) -> tensor<1x2xf32>
  ax.return %u, %v, %w : tensor<2x2xf32>, tensor<1x2xf32>, tensor<1x2xf32>
}
