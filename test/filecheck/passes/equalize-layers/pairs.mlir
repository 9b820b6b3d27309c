// RUN: ax-opt %s -p 'equalize-layers{cross-layer-equalization=true}' | filecheck %s
// RUN: ax-opt %s -p equalize-layers | filecheck %s --check-prefix=OFF

// OFF: dense<[[[[4.000000e+00]]], [[[1.600000e+01]]]]>

// Channel 0: 4 makes it, 1 reads it: by sqrt(4 / 1) = 2. Channel 1: 16 and 1: by 4. The bias follows.
ax.graph @main(%x: tensor<1x1x2x2xf32> "x") -> ("y") {
  %w = ax.constant dense<[[[[4.0]]], [[[16.0]]]]> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  %b = ax.constant dense<[2.0, 8.0]> : tensor<2xf32> : tensor<2xf32>
  %a = ax.conv %x, %w bias %b : tensor<2xf32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <relu> : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  %v = ax.constant dense<[[[[1.0]], [[-1.0]]]]> : tensor<1x2x1x1xf32> : tensor<1x2x1x1xf32>
  %y = ax.conv %a, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x2x2xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x2x2xf32>
  ax.return %y : tensor<1x1x2x2xf32>
}

// CHECK-LABEL: ax.graph @main
// CHECK-NEXT: %w = ax.constant dense<[{{\[\[\[}}2.000000e+00]]], {{\[\[\[}}4.000000e+00]]]]>
// CHECK-NEXT: %b = ax.constant dense<[1.000000e+00, 2.000000e+00]>
// CHECK: %v = ax.constant dense<[{{\[\[\[}}2.000000e+00]], {{\[\[}}-4.000000e+00]]]]>
