// Depthwise and transposed convolutions, extra operands and slopes of epilogues, channels of zeros, large biases.
// RUN: ax-opt %s --split-input-file -p 'quantize{scheme=per_tensor_min_max}' | filecheck %s

// No bias: zeros. Every channel of a depthwise convolution has its own scale.
// CHECK: %y = axq.conv %x weight dense<{{\[\[\[\[}}127]]], {{\[\[\[}}-127]]]]> : tensor<2x1x1x1xi8>
// CHECK-SAME: scale dense<[1.000000e-02, 2.000000e-02]> : tensor<2xf32> bias dense<0> : tensor<2xi32>
// CHECK-SAME: strides [2, 1] pads [1, 0, 0, 1] dilations [3, 2] group 2 :
ax.graph @main(%x: tensor<1x2x2x2xf32> "x") -> ("y") attributes {arg_stats = [#ax.stats<-1.28, 1.27>]} {
  %w = ax.constant dense<[[[[1.27]]], [[[-2.54]]]]> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  %y = ax.conv %x, %w strides [2, 1] pads [1, 0, 0, 1] dilations [3, 2] group 2 {ax.stats = #ax.stats<0.0, 2.55>}
    : (tensor<1x2x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x3xf32>
  ax.return %y : tensor<1x2x2x3xf32>
}

// -----

// A transposed weight is [inputs, outputs / group, ...]: 1.27 and 2.54 go to output 0 and 1 of group 0, 5.08 and 10.16 of
// group 1; two inputs share each.
// CHECK: axq.conv_transpose %x weight dense<{{\[\[\[\[}}127]], {{\[\[}}127]]], {{\[\[\[}}0]], {{\[\[}}64]]], {{\[\[\[}}127]], {{\[\[}}127]]], {{\[\[\[}}32]], {{\[\[}}0]]]]>
// CHECK-SAME: scale dense<[1.000000e-02, 2.000000e-02, 4.000000e-02, 8.000000e-02]> : tensor<4xf32>
// CHECK-SAME: strides [2, 2] pads [0, 0, 0, 0] output_padding [1, 0] dilations [1, 1] group 2
ax.graph @main(%x: tensor<1x4x2x2xf32> "x") -> ("y") attributes {arg_stats = [#ax.stats<-1.28, 1.27>]} {
  %w = ax.constant dense<[[[[1.27]], [[2.54]]], [[[0.0]], [[1.28]]], [[[5.08]], [[10.16]]], [[[1.28]], [[0.0]]]]>
    : tensor<4x2x1x1xf32> : tensor<4x2x1x1xf32>
  %y = ax.conv_transpose %x, %w strides [2, 2] pads [0, 0, 0, 0] output_padding [1, 0] dilations [1, 1] group 2
    {ax.stats = #ax.stats<0.0, 2.55>} : (tensor<1x4x2x2xf32>, tensor<4x2x1x1xf32>) -> tensor<1x4x4x3xf32>
  ax.return %y : tensor<1x4x4x3xf32>
}

// -----

// The slope of a prelu becomes a property, one number a channel; the tensors of add and mul stay operands, in order.
// CHECK: %y = axq.conv %x {{.*}} epilogue <mul, prelu, add> extras %e, %x : tensor<1x1x1x1x!axq.q<1.0 : 0>>, tensor<1x2x2x2x!axq.q<0.01 : 0>>
// CHECK-SAME: slope dense<2.500000e-01> : tensor<2xf32> : tensor<1x2x2x2x
ax.graph @main(%x: tensor<1x2x2x2xf32> "x", %e: tensor<1x1x1x1xf32> "e") -> ("y")
    attributes {arg_stats = [#ax.stats<-1.28, 1.27>, #ax.stats<-128.0, 127.0>]} {
  %w = ax.constant dense<1.27> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %s = ax.constant dense<0.25> : tensor<1xf32> : tensor<1xf32>
  %y = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <mul, prelu, add>
    extras %e, %s, %x : tensor<1x1x1x1xf32>, tensor<1xf32>, tensor<1x2x2x2xf32> {ax.stats = #ax.stats<0.0, 2.55>}
    : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  ax.return %y : tensor<1x2x2x2xf32>
}

// -----

// Channel 0: the bias of 20000 at 0.01 * 0.01 is 2 * 10**8 steps (5 more, for 0.01 in binary32 is a little less). Channel 1:
// 4 * 10**5 would be 4 * 10**9 steps, so the scale is raised until they stay below 2**30, and the weight gets fewer steps.
// Channel 2 has no weight but a bias, which is as exact as 30 bits allow. Channel 3 has neither.
// CHECK: weight dense<{{\[\[\[\[}}127]]], {{\[\[\[}}34]]], {{\[\[\[}}0]]], {{\[\[\[}}0]]]]>
// CHECK-SAME: scale dense<[1.000000e-02, 0.0372529402, 9.31323498e-08, 5.42101086e-20]> : tensor<4xf32>
// CHECK-SAME: bias dense<[200000005, 1073740733, 1073740800, 0]> : tensor<4xi32>
ax.graph @main(%x: tensor<1x1x2x2xf32> "x") -> ("y") attributes {arg_stats = [#ax.stats<-1.28, 1.27>]} {
  %w = ax.constant dense<[[[[1.27]]], [[[1.27]]], [[[0.0]]], [[[0.0]]]]> : tensor<4x1x1x1xf32> : tensor<4x1x1x1xf32>
  %b = ax.constant dense<[20000.0, 400000.0, 1.0, 0.0]> : tensor<4xf32> : tensor<4xf32>
  %y = ax.conv %x, %w bias %b : tensor<4xf32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    {ax.stats = #ax.stats<0.0, 2.55>} : (tensor<1x1x2x2xf32>, tensor<4x1x1x1xf32>) -> tensor<1x4x2x2xf32>
  ax.return %y : tensor<1x4x2x2xf32>
}

// -----

// The weight 0.004 rounds to 0 steps of 0.01. Its input is 10.0 on average, so the output would be 0.04 too small on average:
// 400 steps of 0.01 * 0.01 go into the bias. The weight 1.27 is exact, whatever its input.
// CHECK: weight dense<{{\[\[\[\[}}127]], {{\[\[}}0]]]]> : tensor<1x2x1x1xi8>
// CHECK-SAME: bias dense<400> : tensor<1xi32>
ax.graph @main(%x: tensor<1x2x2x2xf32> "x") -> ("y")
    attributes {arg_stats = [#ax.stats<-1.28, 1.27, means dense<[3.0, 10.0]> : tensor<2xf32>>]} {
  %w = ax.constant dense<[[[[1.27]], [[0.004]]]]> : tensor<1x2x1x1xf32> : tensor<1x2x1x1xf32>
  %y = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    {ax.stats = #ax.stats<0.0, 2.55>} : (tensor<1x2x2x2xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x2x2xf32>
  ax.return %y : tensor<1x1x2x2xf32>
}
