// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// CHECK:      ax.graph @gelu
// CHECK-NEXT:   [[Y:%.*]] = ax.unary %x <gelu> : tensor<1x4x2x2xf32> -> tensor<1x4x2x2xf32>
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @gelu(%x: tensor<1x4x2x2xf32> "x") -> ("y") {
  %root = ax.constant dense<1.41421354> : tensor<f32> : tensor<f32>
  %one = ax.constant dense<1.0> : tensor<f32> : tensor<f32>
  %half = ax.constant dense<0.5> : tensor<f32> : tensor<f32>
  %a = ax.div %x, %root : (tensor<1x4x2x2xf32>, tensor<f32>) -> tensor<1x4x2x2xf32>
  %b = ax.unary %a <erf> : tensor<1x4x2x2xf32> -> tensor<1x4x2x2xf32>
  %c = ax.add %b, %one : (tensor<1x4x2x2xf32>, tensor<f32>) -> tensor<1x4x2x2xf32>
  %d = ax.mul %x, %c : (tensor<1x4x2x2xf32>, tensor<1x4x2x2xf32>) -> tensor<1x4x2x2xf32>
  %e = ax.mul %d, %half : (tensor<1x4x2x2xf32>, tensor<f32>) -> tensor<1x4x2x2xf32>
  ax.return %e : tensor<1x4x2x2xf32>
}

// CHECK:      ax.graph @layer_norm
// CHECK-NEXT:   [[S:%.*]] = ax.constant dense<[1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00]>
// CHECK-NEXT:   [[B:%.*]] = ax.constant dense<[4.000000e+00, 3.000000e+00, 2.000000e+00, 1.000000e+00]>
// CHECK-NEXT:   [[Y:%.*]] = ax.normalize %x scale [[S]] : tensor<4xf32> bias [[B]] : tensor<4xf32> axes [2] epsilon {{.*}} : tensor<1x5x4xf32> -> tensor<1x5x4xf32>
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @layer_norm(%x: tensor<1x5x4xf32> "x") -> ("y") {
  %epsilon = ax.constant dense<1.0e-05> : tensor<f32> : tensor<f32>
  %s = ax.constant dense<[1.0, 2.0, 3.0, 4.0]> : tensor<4xf32> : tensor<4xf32>
  %t = ax.constant dense<[4.0, 3.0, 2.0, 1.0]> : tensor<4xf32> : tensor<4xf32>
  %m = ax.reduce %x mean axes [2] keepdims true : tensor<1x5x4xf32> -> tensor<1x5x1xf32>
  %d = ax.sub %x, %m : (tensor<1x5x4xf32>, tensor<1x5x1xf32>) -> tensor<1x5x4xf32>
  %q = ax.mul %d, %d : (tensor<1x5x4xf32>, tensor<1x5x4xf32>) -> tensor<1x5x4xf32>
  %v = ax.reduce %q mean axes [2] keepdims true : tensor<1x5x4xf32> -> tensor<1x5x1xf32>
  %w = ax.add %v, %epsilon : (tensor<1x5x1xf32>, tensor<f32>) -> tensor<1x5x1xf32>
  %r = ax.unary %w <sqrt> : tensor<1x5x1xf32> -> tensor<1x5x1xf32>
  %n = ax.div %d, %r : (tensor<1x5x4xf32>, tensor<1x5x1xf32>) -> tensor<1x5x4xf32>
  %y = ax.mul %n, %s : (tensor<1x5x4xf32>, tensor<4xf32>) -> tensor<1x5x4xf32>
  %z = ax.add %y, %t : (tensor<1x5x4xf32>, tensor<4xf32>) -> tensor<1x5x4xf32>
  ax.return %z : tensor<1x5x4xf32>
}

// The variance is over another axis than the mean.
// CHECK:      ax.graph @not_layer_norm
// CHECK-NOT:    ax.normalize
// CHECK:        ax.return
ax.graph @not_layer_norm(%x: tensor<1x5x4xf32> "x") -> ("y") {
  %epsilon = ax.constant dense<1.0e-05> : tensor<f32> : tensor<f32>
  %m = ax.reduce %x mean axes [2] keepdims true : tensor<1x5x4xf32> -> tensor<1x5x1xf32>
  %d = ax.sub %x, %m : (tensor<1x5x4xf32>, tensor<1x5x1xf32>) -> tensor<1x5x4xf32>
  %q = ax.mul %d, %d : (tensor<1x5x4xf32>, tensor<1x5x4xf32>) -> tensor<1x5x4xf32>
  %v = ax.reduce %q mean axes [1] keepdims true : tensor<1x5x4xf32> -> tensor<1x1x4xf32>
  %w = ax.add %v, %epsilon : (tensor<1x1x4xf32>, tensor<f32>) -> tensor<1x1x4xf32>
  %r = ax.unary %w <sqrt> : tensor<1x1x4xf32> -> tensor<1x1x4xf32>
  %n = ax.div %d, %r : (tensor<1x5x4xf32>, tensor<1x1x4xf32>) -> tensor<1x5x4xf32>
  ax.return %n : tensor<1x5x4xf32>
}
