// A softmax that is returned gives 1/256 steps from 0, whatever calibration saw; any has its neutral value.
// RUN: ax-opt %s -p 'quantize{scheme=per_tensor_min_max}' | filecheck %s --check-prefixes CHECK,DEFAULT
// RUN: ax-opt %s -p 'quantize{scheme=hybrid_per_tensor_per_channel softmax-neutral-value=-0.5}' | filecheck %s --check-prefixes CHECK,NEUTRAL

// DEFAULT: %s = axq.softmax %x axis 1 neutral -1.000000e+05
// NEUTRAL: %s = axq.softmax %x axis 1 neutral -5.000000e-01
// CHECK-SAME: : tensor<1x2x1x1x!axq.q<0.01 : -28>> -> tensor<1x2x1x1x!axq.q<0.003137{{[0-9]*}} : -128>>
// CHECK: axq.softmax {{.*}} -> tensor<1x2x1x1x!axq.q<0.00390625 : -128>>
// What only moves it shares its steps, and a depthwise convolution gets no others for each channel.
// CHECK: axq.max_pool {{.*}} -> tensor<1x2x1x1x!axq.q<0.00390625 : -128>>
// CHECK: axq.conv %s
ax.graph @main(%x: tensor<1x2x1x1xf32> "x") -> ("p", "y")
    attributes {arg_stats = [#ax.stats<-1.0, 1.55, histogram dense<[1, 1]> : tensor<2xi64>>]} {
  %w = ax.constant dense<1.0> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  %s = ax.softmax %x axis 1 {ax.stats = #ax.stats<0.2, 0.8, histogram dense<[1, 1]> : tensor<2xi64>>} : tensor<1x2x1x1xf32> -> tensor<1x2x1x1xf32>
  %t = ax.softmax %x axis 1 {ax.stats = #ax.stats<0.2, 0.8>} : tensor<1x2x1x1xf32> -> tensor<1x2x1x1xf32>
  %p = ax.max_pool %t kernel [1, 1] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]
    {ax.stats = #ax.stats<0.2, 0.8>} : tensor<1x2x1x1xf32> -> tensor<1x2x1x1xf32>
  %y = ax.conv %s, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2 {ax.stats = #ax.stats<0.0, 1.0>}
    : (tensor<1x2x1x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x1x1xf32>
  ax.return %p, %y : tensor<1x2x1x1xf32>, tensor<1x2x1x1xf32>
}
