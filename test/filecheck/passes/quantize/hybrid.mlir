// Inputs of depthwise convolutions get one scale and zero point a channel, where nothing else reads them.
// RUN: ax-opt %s -p 'quantize{scheme=hybrid_per_tensor_per_channel}' | filecheck %s --check-prefixes CHECK,HYBRID
// RUN: ax-opt %s -p 'quantize{scheme=per_tensor_min_max quantize-dw-channel-wise=true}' | filecheck %s --check-prefixes CHECK,HYBRID
// RUN: ax-opt %s -p 'quantize{scheme=per_tensor_min_max}' | filecheck %s --check-prefixes CHECK,TENSOR

// An input of the graph is quantized by the host, per tensor.
// CHECK: @main(%x: tensor<1x2x2x2x!axq.q<0.02 : -128>> "x")
// CHECK: %first = axq.conv %x {{.*}} group 2 :
// HYBRID-SAME: -> tensor<1x2x2x2x!axq.q<channels dense<[1.000000e-02, 2.000000e-02]> : tensor<2xf32> : dense<[-128, 0]> : tensor<2xi32>>>
// TENSOR-SAME: -> tensor<1x2x2x2x!axq.q<0.02 : 0>>

// Two outputs for each input channel: their biases are at the scale of their input, 0.01 * 0.01 and 0.02 * 0.01.
// CHECK: %shared = axq.conv %first
// HYBRID-SAME: bias dense<[10000, 10000, 5000, 5000]>
// TENSOR-SAME: bias dense<5000>
// CHECK-SAME: group 2 :

// A convolution that is no depthwise one reads this tensor as well.
// CHECK-SAME: -> tensor<1x4x2x2x!axq.q<0.01 : -128>>
// CHECK: %dense = axq.conv %shared {{.*}} group 1 :
// A max pool shares the parameters of its input, so its result is per tensor.
// CHECK: %pooled = axq.max_pool %dense {{.*}} -> tensor<1x4x2x2x!axq.q<0.01 : -128>>
// Not one scale a channel for the result either: the graph returns it.
// CHECK: %last = axq.conv %pooled {{.*}} group 4 : {{.*}} -> tensor<1x4x2x2x!axq.q<0.01 : -128>>
ax.graph @main(%x: tensor<1x2x2x2xf32> "x") -> ("a", "b")
    attributes {arg_stats = [#ax.stats<0.0, 5.1, histogram dense<[1, 1]> : tensor<2xi64>,
                              channels dense<[[0.0, 0.0], [5.1, 0.1]]> : tensor<2x2xf32>>]} {
  %w = ax.constant dense<1.27> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  %w4 = ax.constant dense<1.27> : tensor<4x1x1x1xf32> : tensor<4x1x1x1xf32>
  %wd = ax.constant dense<1.27> : tensor<4x4x1x1xf32> : tensor<4x4x1x1xf32>
  %b4 = ax.constant dense<1.0> : tensor<4xf32> : tensor<4xf32>
  %first = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2
    {ax.stats = #ax.stats<-2.56, 2.54, histogram dense<[1, 1]> : tensor<2xi64>,
     channels dense<[[0.0, -2.56], [2.55, 2.54]]> : tensor<2x2xf32>>}
    : (tensor<1x2x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32>
  %shared = ax.conv %first, %w4 bias %b4 : tensor<4xf32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2
    {ax.stats = #ax.stats<0.0, 2.55, histogram dense<[1, 1]> : tensor<2xi64>>}
    : (tensor<1x2x2x2xf32>, tensor<4x1x1x1xf32>) -> tensor<1x4x2x2xf32>
  %dense = ax.conv %shared, %wd strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    {ax.stats = #ax.stats<0.0, 2.55, histogram dense<[1, 1]> : tensor<2xi64>>}
    : (tensor<1x4x2x2xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x2x2xf32>
  %pooled = ax.max_pool %dense kernel [1, 1] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]
    {ax.stats = #ax.stats<0.0, 2.55, histogram dense<[1, 1]> : tensor<2xi64>>}
    : tensor<1x4x2x2xf32> -> tensor<1x4x2x2xf32>
  %last = ax.conv %pooled, %w4 strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 4
    {ax.stats = #ax.stats<0.0, 2.55, histogram dense<[1, 1]> : tensor<2xi64>>}
    : (tensor<1x4x2x2xf32>, tensor<4x1x1x1xf32>) -> tensor<1x4x2x2xf32>
  %other = ax.conv %shared, %w4 strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 4
    {ax.stats = #ax.stats<0.0, 2.55, histogram dense<[1, 1]> : tensor<2xi64>>}
    : (tensor<1x4x2x2xf32>, tensor<4x1x1x1xf32>) -> tensor<1x4x2x2xf32>
  ax.return %last, %other : tensor<1x4x2x2xf32>, tensor<1x4x2x2xf32>
}
