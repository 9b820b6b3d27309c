// RUN: ax-opt %s -p 'widen-activations{widened-layers="first" scheme=per_tensor_min_max}' | filecheck %s

// The mean of four values has half the deviation of one: 0.02 / sqrt(12) / 2 = 0.0029, four of which are 0.0115.
ax.graph @main(%x: tensor<1x1x2x2xf32> "x") -> ("y") attributes {arg_stats = [#ax.stats<0.0, 2.55>]} {
  %w = ax.constant dense<1.0> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  // CHECK: %[[LOW:.*]] = ax.conv {{.*}} extras %t
  %t = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <relu> {ax.stats = #ax.stats<0.0, 5.1>} : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32> loc("first")
  // CHECK-NEXT: %[[P:.*]] = ax.avg_pool %[[LOW]] kernel [2, 2] {{.*}} {ax.stats = #ax.stats<-0.011547{{[0-9]*}},
  // CHECK-NEXT: ax.avg_pool %t kernel [2, 2] {{.*}} epilogue <add> extras %[[P]]
  %y = ax.avg_pool %t kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] count_include_pad false {ax.stats = #ax.stats<0.0, 5.1>} : tensor<1x2x2x2xf32> -> tensor<1x2x1x1xf32>
  ax.return %y : tensor<1x2x1x1xf32>
}
