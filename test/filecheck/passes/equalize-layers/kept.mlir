// RUN: ax-opt %s -p 'equalize-layers{cross-layer-equalization=true}' | filecheck %s

// A ReLU6 has one bound for all channels.
ax.graph @main(%x: tensor<1x1x2x2xf32> "x") -> ("y", "z", "t") {
  %w = ax.constant dense<16.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <clip(0.0, 6.0)> : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %v = ax.constant dense<1.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %y = ax.conv %a, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  // Read by two.
  %u = ax.constant dense<64.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %b = ax.conv %x, %u strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <relu> : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %p = ax.constant dense<4.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %z = ax.conv %b, %p strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <add> extras %b : tensor<1x1x2x2xf32> : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  // One weight for both.
  %q = ax.constant dense<32.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %c = ax.conv %x, %q strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  %t = ax.conv %c, %q strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  ax.return %y, %z, %t : tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>
}

// CHECK-LABEL: ax.graph @main
// CHECK-NEXT: %w = ax.constant dense<1.600000e+01>
// CHECK: %v = ax.constant dense<1.000000e+00>
// CHECK: %u = ax.constant dense<6.400000e+01>
// CHECK: %p = ax.constant dense<4.000000e+00>
// CHECK: %q = ax.constant dense<3.200000e+01>
