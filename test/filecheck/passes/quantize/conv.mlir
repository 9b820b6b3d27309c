// Convolutions: weights per output channel, bias at the accumulator's scale, the epilogue kept.
// RUN: ax-opt %s -p 'quantize{scheme=per_tensor_min_max}' | filecheck %s

// The input: -1.28 to 1.27 is 255 steps of 0.01, so zero is the byte 0. The result: 0 to 2.55, zero is -128.
// Weights: 0.5 is 127 steps of 0.5 / 127; -1.27 is -127 steps of 0.01, and 0.64 is 64 steps.
// Bias: 1.0 / (0.01 * 0.5 / 127) = 25400; -2.0 / (0.01 * 0.01) = -20000.
// CHECK: axq.graph @main(%x: tensor<1x2x2x2x!axq.q<0.01 : 0>> "image") -> ("scores") {
// CHECK-NOT: ax.constant
// CHECK-NEXT: %y = axq.conv %x weight dense<{{\[\[\[\[}}127]], {{\[\[}}-127]]], {{\[\[\[}}-127]], {{\[\[}}64]]]]> : tensor<2x2x1x1xi8>
// CHECK-SAME: scale dense<[0.00393700786, 1.000000e-02]> : tensor<2xf32> bias dense<[25400, -20000]> : tensor<2xi32>
// CHECK-SAME: strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <relu>
// CHECK-SAME: : tensor<1x2x2x2x!axq.q<0.01 : 0>> -> tensor<1x2x2x2x!axq.q<0.01 : -128>>
// CHECK-NEXT: axq.return %y : tensor<1x2x2x2x!axq.q<0.01 : -128>>
ax.graph @main(%x: tensor<1x2x2x2xf32> "image") -> ("scores") attributes {arg_stats = [#ax.stats<-1.28, 1.27>]} {
  %w = ax.constant dense<[[[[0.5]], [[-0.5]]], [[[-1.27]], [[0.64]]]]> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %b = ax.constant dense<[1.0, -2.0]> : tensor<2xf32> : tensor<2xf32>
  %y = ax.conv %x, %w bias %b : tensor<2xf32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <relu>
    {ax.stats = #ax.stats<0.0, 2.55>} : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  ax.return %y : tensor<1x2x2x2xf32>
}

// Only @main is quantized; the host's graphs stay as they are.
// CHECK: ax.graph @preamble
// CHECK-NEXT: ax.relu
ax.graph @preamble(%x: tensor<1x2x2x2xf32> "image") -> ("image2") {
  %y = ax.relu %x : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  ax.return %y : tensor<1x2x2x2xf32>
}
