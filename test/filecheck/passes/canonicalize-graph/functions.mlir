// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// Functions with parameters are the table of elu, a slope below zero, or both.
// CHECK:      ax.graph @steps
// CHECK-NEXT:   ax.leaky_relu %x alpha -1.000000e+00
// CHECK-NEXT:   ax.unary %x <elu(1.0)>
// CHECK-NEXT:   [[E:%.*]] = ax.unary %x <elu(1.0)>
// CHECK-NEXT:   ax.leaky_relu [[E]] alpha 5.000000e-01
// CHECK-NEXT:   [[S:%.*]] = ax.table %x function <elu(1.0, 0.0, 1.5, 0.0)>
// CHECK-NEXT:   ax.leaky_relu [[S]] alpha 2.000000e+00
// CHECK-NEXT:   ax.table %x function <elu(0.5, 0.0, 2.0, 0.0)>
// CHECK-NEXT:   ax.relu %x
// CHECK-NEXT:   ax.return
ax.graph @steps(%x: tensor<1x2x3x3xf32> "x") -> ("a", "b", "c", "d", "e", "f") {
  %a = ax.unary %x <abs> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %b = ax.unary %x <elu(1.0)> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %c = ax.unary %x <elu(0.5)> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %d = ax.unary %x <selu(2.0, 1.5)> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %e = ax.unary %x <celu(2.0)> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %f = ax.unary %x <thresholded_relu(0.0)> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  ax.return %a, %b, %c, %d, %e, %f : tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>
}

// softplus(2 * x) / 2, and the logarithm that it is spelled as; numbers around erf are in its table as well.
// CHECK:      ax.graph @numbers
// CHECK-NEXT:   ax.table %x function <softplus(2.0, 0.0, 0.5, 0.0)>
// CHECK-NEXT:   ax.unary %x <softplus>
// CHECK-NEXT:   ax.table %x function <erf(1.0, 0.0, 1.0, 3.0)>
// CHECK-NEXT:   ax.return
ax.graph @numbers(%x: tensor<1x2x3x3xf32> "x") -> ("a", "b", "c") {
  %half = ax.constant dense<0.5> : tensor<f32> : tensor<f32>
  %one = ax.constant dense<1.0> : tensor<f32> : tensor<f32>
  %two = ax.constant dense<2.0> : tensor<f32> : tensor<f32>
  %three = ax.constant dense<3.0> : tensor<f32> : tensor<f32>
  %m = ax.mul %x, %two : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %s = ax.unary %m <softplus> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %a = ax.mul %s, %half : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %p = ax.unary %x <exp> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %t = ax.add %one, %p : (tensor<f32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %b = ax.unary %t <log> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %e = ax.unary %x <erf> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %c = ax.add %e, %three : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  ax.return %a, %b, %c : tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>
}

// What no step computes stays, with its neighbours: another sum, functions that are none of these.
// CHECK:      ax.graph @others
// CHECK-NEXT:   ax.unary %x <selu(2.0, -1.0)>
// CHECK-NEXT:   ax.unary %x <celu(-1.0)>
// CHECK-NEXT:   ax.unary %x <thresholded_relu(1.0)>
// CHECK-NEXT:   ax.unary %x <pow(4.0)>
// CHECK-NEXT:   [[P:%.*]] = ax.unary %x <exp>
// CHECK:        [[T:%.*]] = ax.conv [[P]],
// CHECK-NEXT:   ax.unary [[T]] <log>
// CHECK-NEXT:   ax.return
ax.graph @others(%x: tensor<1x2x3x3xf32> "x") -> ("a", "b", "c", "d", "e") {
  %two = ax.constant dense<2.0> : tensor<f32> : tensor<f32>
  %a = ax.unary %x <selu(2.0, -1.0)> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %b = ax.unary %x <celu(-1.0)> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %c = ax.unary %x <thresholded_relu(1.0)> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %d = ax.unary %x <pow(4.0)> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %p = ax.unary %x <exp> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %t = ax.add %two, %p : (tensor<f32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %e = ax.unary %t <log> : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  ax.return %a, %b, %c, %d, %e : tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>
}

// A slope that differs between positions, or is computed, is a product.
// CHECK:      ax.graph @slopes
// CHECK-NEXT:   [[B:%.*]] = ax.clip %x min {{.*}} max 0.000000e+00
// CHECK-NEXT:   [[P:%.*]] = ax.mul [[B]], %s
// CHECK-NEXT:   [[A:%.*]] = ax.relu %x
// CHECK-NEXT:   ax.add [[A]], [[P]]
ax.graph @slopes(%x: tensor<1x2x3x3xf32> "x", %s: tensor<1x2x1x3xf32> "s") -> ("y") {
  %y = ax.prelu %x, %s : (tensor<1x2x3x3xf32>, tensor<1x2x1x3xf32>) -> tensor<1x2x3x3xf32>
  ax.return %y : tensor<1x2x3x3xf32>
}
