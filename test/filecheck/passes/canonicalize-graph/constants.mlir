// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// CHECK:      ax.graph @fold
// CHECK-NEXT:   [[C:%.*]] = ax.constant dense<{{\[\[}}5.000000e+00], [9.000000e+00]]> : tensor<2x1xf32>
// CHECK-NEXT:   ax.return [[C]]
ax.graph @fold(%x: tensor<1xf32> "x") -> ("y") {
  %a = ax.constant dense<[2.0, 4.0]> : tensor<2xf32> : tensor<2xf32>
  %b = ax.constant dense<1.0> : tensor<f32> : tensor<f32>
  %c = ax.mul %a, %a : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %d = ax.constant dense<[0.0, 8.0]> : tensor<2xf32> : tensor<2xf32>
  %e = ax.sub %c, %d : (tensor<2xf32>, tensor<2xf32>) -> tensor<2xf32>
  %f = ax.add %e, %b : (tensor<2xf32>, tensor<f32>) -> tensor<2xf32>
  %g = ax.reshape %f shape [2, 1] : tensor<2xf32> -> tensor<2x1xf32>
  ax.return %g : tensor<2x1xf32>
}

// A constant much larger than what it is made of is left to be computed.
// CHECK:      ax.graph @growth
// CHECK-DAG:    ax.constant dense<1.000000e+00> : tensor<300x1xf32>
// CHECK-DAG:    ax.constant dense<2.000000e+00> : tensor<1x300xf32>
// CHECK:        [[C:%.*]] = ax.add
// CHECK-NEXT:   ax.return [[C]]
ax.graph @growth(%x: tensor<1xf32> "x") -> ("y") {
  %a = ax.constant dense<1.0> : tensor<300x1xf32> : tensor<300x1xf32>
  %b = ax.constant dense<2.0> : tensor<1x300xf32> : tensor<1x300xf32>
  %c = ax.add %a, %b : (tensor<300x1xf32>, tensor<1x300xf32>) -> tensor<300x300xf32>
  ax.return %c : tensor<300x300xf32>
}
