// RUN: ax-opt %s -p fuse-epilogue --split-input-file | filecheck %s

// Every activation is a step of its own kind, with its constants; a vector program has one table.
// CHECK:      ax.graph @main
// CHECK:        ax.conv %x, %w strides {{.*}} epilogue <relu> :
// CHECK-NEXT:   ax.conv %x, %w strides {{.*}} epilogue <clip(0.0, 6.0)> :
// CHECK-NEXT:   ax.conv %x, %w strides {{.*}} epilogue <leaky_relu(0.125)> :
// CHECK-NEXT:   ax.conv %x, %w strides {{.*}} epilogue <hard_sigmoid(0.25, 0.5)> :
// CHECK-NEXT:   [[E:%.*]] = ax.conv %x, %w strides {{.*}} epilogue <hard_swish> :
// CHECK-NEXT:   ax.sigmoid [[E]]
// CHECK-NEXT:   ax.silu
// CHECK-NEXT:   ax.tanh
// CHECK-NEXT:   ax.conv_transpose %x, %w strides {{.*}} epilogue <relu> :
// CHECK-NEXT:   ax.avg_pool %x kernel {{.*}} count_include_pad false epilogue <relu> :
// CHECK-NEXT:   ax.return
ax.graph @main(%x: tensor<1x1x3x3xf32> "x") -> ("a", "b", "c", "d", "e", "f", "g") {
  %w = ax.constant dense<2.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %b = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %c = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %d = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %e = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %f = ax.conv_transpose %x, %w strides [1, 1] pads [0, 0, 0, 0] output_padding [0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %g = ax.avg_pool %x kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] count_include_pad false : tensor<1x1x3x3xf32> -> tensor<1x1x2x2xf32>
  %a1 = ax.relu %a : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %b1 = ax.clip %b min 0.0 max 6.0 : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %c1 = ax.leaky_relu %c alpha 0.125 : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %d1 = ax.hard_sigmoid %d alpha 0.25 beta 0.5 : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %e1 = ax.hard_swish %e : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %e2 = ax.sigmoid %e1 : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %e3 = ax.silu %e2 : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %e4 = ax.tanh %e3 : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %f1 = ax.relu %f : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %g1 = ax.relu %g : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32>
  ax.return %a1, %b1, %c1, %d1, %e4, %f1, %g1 : tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>, tensor<1x1x2x2xf32>
}

// -----

// A step with an operand appends it to the extras; a fifth step does not fit.
// CHECK:      ax.graph @main
// CHECK:        [[V:%.*]] = ax.conv %x, %w bias %b : tensor<2xf32> {{.*}} epilogue <prelu, add, mul, relu> extras %s, %y, %g : tensor<1x2x1x1xf32>, tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32> :
// CHECK-NEXT:   [[Z:%.*]] = ax.add [[V]], %y
// CHECK-NEXT:   ax.return [[Z]]
ax.graph @main(%x: tensor<1x2x3x3xf32> "x", %y: tensor<1x2x3x3xf32> "y", %g: tensor<1x2x1x1xf32> "g") -> ("z") {
  %w = ax.constant dense<2.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %b = ax.constant dense<2.0> : tensor<2xf32> : tensor<2xf32>
  %s = ax.constant dense<0.5> : tensor<1x2x1x1xf32> : tensor<1x2x1x1xf32>
  %v = ax.conv %x, %w bias %b : tensor<2xf32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %1 = ax.prelu %v, %s : (tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %2 = ax.add %y, %1 : (tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %3 = ax.mul %2, %g : (tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %4 = ax.relu %3 : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %5 = ax.add %4, %y : (tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  ax.return %5 : tensor<1x2x3x3xf32>
}

// -----

// Two tables of one function with other constants are two tables; the same table twice is one.
// CHECK:      ax.graph @main
// CHECK:        [[A:%.*]] = ax.conv %x, %w strides {{.*}} epilogue <sigmoid(2.0, 0.0, 1.0, 0.0)> :
// CHECK-NEXT:   [[B:%.*]] = ax.table [[A]] function <sigmoid(3.0, 0.0, 1.0, 0.0)>
// CHECK-NEXT:   ax.conv %x, %w strides {{.*}} epilogue <tanh(1.0, 0.0, 2.0, 1.0), tanh(1.0, 0.0, 2.0, 1.0)> :
ax.graph @main(%x: tensor<1x1x3x3xf32> "x") -> ("b", "d") {
  %w = ax.constant dense<2.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %a = ax.table %v function <sigmoid(2.0, 0.0, 1.0, 0.0)> : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %b = ax.table %a function <sigmoid(3.0, 0.0, 1.0, 0.0)> : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %u = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %c = ax.table %u function <tanh(1.0, 0.0, 2.0, 1.0)> : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %d = ax.table %c function <tanh(1.0, 0.0, 2.0, 1.0)> : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  ax.return %b, %d : tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>
}
