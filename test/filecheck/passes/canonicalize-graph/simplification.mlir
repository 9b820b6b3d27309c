// RUN: ax-opt %s -p canonicalize-graph | filecheck %s
// RUN: ax-opt %s -p 'canonicalize-graph{apply-arithmetic-simplification=false}' | filecheck %s --check-prefix=OFF

// A batch norm goes into the convolution; else it is one convolution of 1x1 behind it, as the device has no other form.
// CHECK:      ax.graph @batch_norm
// CHECK-DAG:    ax.constant dense<2.000000e+00> : tensor<2x2x1x1xf32>
// CHECK:        [[C:%.*]] = ax.conv %x, {{.*}} bias {{.*}} group 1
// CHECK-NEXT:   ax.return [[C]]
// OFF:        ax.graph @batch_norm
// OFF:          [[C:%.*]] = ax.conv %x, {{%.*}} strides {{.*}} group 1
// OFF-DAG:      [[S:%.*]] = ax.constant dense<2.000000e+00> : tensor<2x1x1x1xf32>
// OFF-DAG:      [[T:%.*]] = ax.constant dense<3.000000e+00> : tensor<2xf32>
// OFF-NEXT:     [[Y:%.*]] = ax.conv [[C]], [[S]] bias [[T]] : {{.*}} group 2
// OFF-NEXT:     ax.return [[Y]]
ax.graph @batch_norm(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %two = ax.constant dense<2.0> : tensor<2xf32> : tensor<2xf32>
  %three = ax.constant dense<3.0> : tensor<2xf32> : tensor<2xf32>
  %zero = ax.constant dense<0.0> : tensor<2xf32> : tensor<2xf32>
  %one = ax.constant dense<1.0> : tensor<2xf32> : tensor<2xf32>
  %c = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %y = ax.batch_norm %c scale %two bias %three mean %zero variance %one epsilon 0.0 : (tensor<1x2x3x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3x3xf32>
  ax.return %y : tensor<1x2x3x3xf32>
}

// Numbers before a convolution, and two numbers in a row.
// CHECK:      ax.graph @before
// CHECK:        ax.conv %x, {{.*}} bias
// CHECK-NEXT:   ax.return
// OFF:        ax.graph @before
// OFF-COUNT-3:  group 2
// OFF:          group 1
ax.graph @before(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %two = ax.constant dense<2.0> : tensor<f32> : tensor<f32>
  %three = ax.constant dense<3.0> : tensor<f32> : tensor<f32>
  %a = ax.mul %x, %two : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %b = ax.mul %a, %three : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %c = ax.add %b, %two : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %d = ax.add %c, %two : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %y = ax.conv %d, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  ax.return %y : tensor<1x2x3x3xf32>
}

// Activations are recognized all the same.
// OFF:        ax.graph @hard_swish
// OFF-NEXT:     ax.hard_swish %x
ax.graph @hard_swish(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %three = ax.constant dense<3.0> : tensor<f32> : tensor<f32>
  %six = ax.constant dense<6.0> : tensor<f32> : tensor<f32>
  %a = ax.add %x, %three : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %b = ax.clip %a min 0.0 max 6.0 : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %c = ax.mul %x, %b : (tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %y = ax.div %c, %six : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  ax.return %y : tensor<1x2x3x3xf32>
}
