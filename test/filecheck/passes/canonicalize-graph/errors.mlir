// A scale cannot be folded into weights that are not there.
// RUN: ax-opt %s --split-input-file --verify-diagnostics -p canonicalize-graph
// RUN: ax-opt %s --split-input-file --verify-diagnostics -p dense-to-conv

ax.graph @main(%x: tensor<1x8x1x1xf32> "x") -> ("y") {
  // expected-error@+2 {{weight 00112233445566778899aabbccddeeff is not in the weight store}}
  // expected-note@+1 {{pass them with --weights FILE.safetensors}}
  %w = ax.constant #ax.weight<"00112233445566778899aabbccddeeff", tensor<16x8x1x1xf32>> : tensor<16x8x1x1xf32>
  %s = ax.constant dense<2.0> : tensor<f32> : tensor<f32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x8x1x1xf32>, tensor<16x8x1x1xf32>) -> tensor<1x16x1x1xf32>
  %y = ax.mul %v, %s : (tensor<1x16x1x1xf32>, tensor<f32>) -> tensor<1x16x1x1xf32>
  ax.return %y : tensor<1x16x1x1xf32>
}
