// RUN: ax-opt %s -p 'smooth-activations{activation-smoothing=0.5}' | filecheck %s
// RUN: ax-opt %s -p 'smooth-activations{activation-smoothing=1.0}' | filecheck %s --check-prefix=ALL
// RUN: ax-opt %s -p smooth-activations | filecheck %s --check-prefix=OFF

// OFF: arg_stats
// OFF: dense<[{{\[\[}}1.000000e+00]], {{\[\[}}8.000000e+00]]]>

// Channel 1 reaches 16, channel 0 reaches 1; weights of 1 read both. The square roots 4 and 1 over their mean 2: channel
// 0 is divided by 1/2, channel 1 by 2. The weights take it back, and what was measured no longer holds.
// CHECK: ax.graph @main(%x: tensor<1x2x1x4xf32> "x") -> ("y", "z") {
// CHECK-NEXT: [[S:%.*]] = ax.constant dense<[{{\[\[}}2.000000e+00]], {{\[\[}}4.000000e+00]]]>
// CHECK-NEXT: [[B:%.*]] = ax.constant dense<[{{\[\[}}0.000000e+00]], {{\[\[}}2.000000e+00]]]>
// CHECK-NEXT: %n = ax.normalize %x scale [[S]] : tensor<2x1x1xf32> bias [[B]] : tensor<2x1x1xf32> axes [1] epsilon 1.000000e-06 : tensor<1x2x1x4xf32> -> tensor<1x2x1x4xf32>
// CHECK-NEXT: %w = ax.constant dense<[{{\[\[\[}}5.000000e-01]], {{\[\[}}2.000000e+00]]]]>
// CHECK-NEXT: %y = ax.conv %n, %w strides
// CHECK-NEXT: %v = ax.constant dense<{{\[\[\[\[}}5.000000e-01]]], {{\[\[\[}}1.000000e+00]]]]>
// CHECK-NEXT: %z = ax.conv %n, %v {{.*}} group 2

// All of it: 4 and 1/4.
// ALL: ax.constant dense<[{{\[\[}}4.000000e+00]], {{\[\[}}2.000000e+00]]]>
ax.graph @main(%x: tensor<1x2x1x4xf32> "x") -> ("y", "z") attributes {arg_stats = [#ax.stats<-3.0, 3.0>]} {
  %s = ax.constant dense<[[[1.0]], [[8.0]]]> : tensor<2x1x1xf32> : tensor<2x1x1xf32>
  %b = ax.constant dense<[[[0.0]], [[4.0]]]> : tensor<2x1x1xf32> : tensor<2x1x1xf32>
  %n = ax.normalize %x scale %s : tensor<2x1x1xf32> bias %b : tensor<2x1x1xf32> axes [1] epsilon 1.0e-06
    {ax.stats = #ax.stats<-16.0, 16.0, channels dense<[[-1.0, -16.0], [0.5, 12.0]]> : tensor<2x2xf32>>} : tensor<1x2x1x4xf32> -> tensor<1x2x1x4xf32>
  %w = ax.constant dense<[[[[1.0]], [[1.0]]]]> : tensor<1x2x1x1xf32> : tensor<1x2x1x1xf32>
  %y = ax.conv %n, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 {ax.stats = #ax.stats<-16.0, 16.0>} : (tensor<1x2x1x4xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x1x4xf32>
  %v = ax.constant dense<[[[[1.0]]], [[[0.5]]]]> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  %z = ax.conv %n, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2 {ax.stats = #ax.stats<-16.0, 16.0>} : (tensor<1x2x1x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x1x4xf32>
  ax.return %y, %z : tensor<1x1x1x4xf32>, tensor<1x2x1x4xf32>
}
