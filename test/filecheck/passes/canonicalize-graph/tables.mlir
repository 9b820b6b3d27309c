// RUN: ax-opt %s -p canonicalize-graph | filecheck %s
// RUN: ax-opt %s -p 'canonicalize-graph{simplify-mac-before-after-lut=false}' | filecheck %s --check-prefix=OFF

// 3 * sigmoid(2 * x + 1) - 2, in the orders that exporters write.
// CHECK:      ax.graph @both
// CHECK-NEXT:   [[Y:%.*]] = ax.table %x function <sigmoid(2.0, 1.0, 3.0, -2.0)>
// CHECK-NEXT:   ax.return [[Y]]
// OFF:        ax.graph @both
// OFF:          [[S:%.*]] = ax.conv %x, {{.*}} group 2
// OFF-NEXT:     [[F:%.*]] = ax.sigmoid [[S]]
// OFF:          ax.conv [[F]], {{.*}} group 2
ax.graph @both(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %one = ax.constant dense<1.0> : tensor<f32> : tensor<f32>
  %two = ax.constant dense<2.0> : tensor<1xf32> : tensor<1xf32>
  %three = ax.constant dense<3.0> : tensor<2x1x1xf32> : tensor<2x1x1xf32>
  %a = ax.mul %two, %x : (tensor<1xf32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %b = ax.add %a, %one : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %f = ax.sigmoid %b : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %c = ax.mul %f, %three : (tensor<1x2x3x3xf32>, tensor<2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %y = ax.sub %c, %two : (tensor<1x2x3x3xf32>, tensor<1xf32>) -> tensor<1x2x3x3xf32>
  ax.return %y : tensor<1x2x3x3xf32>
}

// The shift comes first: tanh((x + 3) * 0.5) = tanh(0.5 * x + 1.5); after it, (tanh + 1) * 4.
// CHECK:      ax.graph @shift_first
// CHECK-NEXT:   ax.table %x function <tanh(0.5, 1.5, 4.0, 4.0)>
ax.graph @shift_first(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %half = ax.constant dense<0.5> : tensor<f32> : tensor<f32>
  %one = ax.constant dense<1.0> : tensor<f32> : tensor<f32>
  %three = ax.constant dense<3.0> : tensor<f32> : tensor<f32>
  %four = ax.constant dense<4.0> : tensor<f32> : tensor<f32>
  %a = ax.add %x, %three : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %b = ax.mul %a, %half : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %t = ax.tanh %b : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %c = ax.add %t, %one : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %y = ax.mul %c, %four : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  ax.return %y : tensor<1x2x3x3xf32>
}

// A convolution before or behind takes the numbers for nothing; no table is made for them. x * sigmoid(x) is known first.
// CHECK:      ax.graph @convolutions
// CHECK:        [[C:%.*]] = ax.conv %x,
// CHECK-NEXT:   [[S:%.*]] = ax.silu [[C]]
// CHECK:        ax.conv [[S]],
// CHECK-NOT:    ax.table
ax.graph @convolutions(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %two = ax.constant dense<2.0> : tensor<f32> : tensor<f32>
  %c = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %a = ax.mul %c, %two : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %g = ax.sigmoid %a : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %s = ax.mul %a, %g : (tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %b = ax.mul %s, %two : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %y = ax.conv %b, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  ax.return %y : tensor<1x2x3x3xf32>
}

// What these leave to others: a number a channel, a function that is used twice, a factor of 0 before the function.
// CHECK:      ax.graph @others
// CHECK-NOT:    ax.table
// CHECK:      ax.graph @end
ax.graph @others(%x: tensor<1x2x3x3xf32> "x") -> ("y", "z", "f", "c") {
  %vector = ax.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32> : tensor<2x1x1xf32>
  %two = ax.constant dense<2.0> : tensor<f32> : tensor<f32>
  %zero = ax.constant dense<0.0> : tensor<f32> : tensor<f32>
  %t = ax.tanh %x : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %y = ax.mul %t, %vector : (tensor<1x2x3x3xf32>, tensor<2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %f = ax.hard_swish %x : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %z = ax.mul %f, %two : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %n = ax.mul %x, %zero : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %c = ax.sigmoid %n : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  ax.return %y, %z, %f, %c : tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>
}
ax.graph @end(%x: tensor<1xf32> "x") -> ("y") {
  %y = ax.relu %x : tensor<1xf32> -> tensor<1xf32>
  ax.return %y : tensor<1xf32>
}
