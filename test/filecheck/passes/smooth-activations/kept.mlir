// RUN: ax-opt %s -p 'smooth-activations{activation-smoothing=0.5}' | filecheck %s

// Something beside a convolution reads it, and the graph returns the other: nothing is changed, statistics stay.
// CHECK: arg_stats
// CHECK: %n = ax.normalize %x axes [1] epsilon {{.*}} {ax.stats
// CHECK: %m = ax.normalize %x axes [1] epsilon {{.*}} {ax.stats
ax.graph @main(%x: tensor<1x2x1x4xf32> "x") -> ("y", "z", "m") attributes {arg_stats = [#ax.stats<-3.0, 3.0>]} {
  %n = ax.normalize %x axes [1] epsilon 1.0e-06
    {ax.stats = #ax.stats<-16.0, 16.0, channels dense<[[-1.0, -16.0], [0.5, 12.0]]> : tensor<2x2xf32>>} : tensor<1x2x1x4xf32> -> tensor<1x2x1x4xf32>
  %m = ax.normalize %x axes [1] epsilon 1.0e-06
    {ax.stats = #ax.stats<-16.0, 16.0, channels dense<[[-1.0, -16.0], [0.5, 12.0]]> : tensor<2x2xf32>>} : tensor<1x2x1x4xf32> -> tensor<1x2x1x4xf32>
  %w = ax.constant dense<[[[[1.0]], [[1.0]]]]> : tensor<1x2x1x1xf32> : tensor<1x2x1x1xf32>
  %y = ax.conv %n, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x1x4xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x1x4xf32>
  %z = ax.relu %n : tensor<1x2x1x4xf32> -> tensor<1x2x1x4xf32>
  ax.return %y, %z, %m : tensor<1x1x1x4xf32>, tensor<1x2x1x4xf32>, tensor<1x2x1x4xf32>
}
