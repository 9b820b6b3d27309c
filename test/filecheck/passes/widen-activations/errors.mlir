// RUN: ax-opt %s --split-input-file --verify-diagnostics -p 'widen-activations{widened-layers="first" scheme=per_tensor_min_max}'

// expected-error@unknown {{widened_layers: the device has no layer 'first'}}
// expected-note@unknown {{did you mean 'fist'?}}
builtin.module {
  ax.graph @main(%x: tensor<1x1x2x2xf32> "x") -> ("y") {
    %y = ax.relu %x : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32> loc("fist")
    ax.return %y : tensor<1x1x2x2xf32>
  }
}

// -----

ax.graph @main(%x: tensor<1x1x2x2xf32> "x") -> ("y") {
  // expected-error@unknown {{'ax.relu' cannot give 16 bits: only convolutions, average pools and products of tensors with their epilogues can}}
  // expected-note@unknown {{leave it, or the layers that read it, out of widened_layers}}
  %y = ax.relu %x : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32> loc("first")
  ax.return %y : tensor<1x1x2x2xf32>
}

// -----

ax.graph @main(%x: tensor<1x1x2x2xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  // expected-error@unknown {{'ax.conv' cannot give 16 bits: nothing that reads it can take 16 bits}}
  // expected-note@unknown {{leave it, or the layers that read it, out of widened_layers}}
  %y = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32> loc("first")
  ax.return %y : tensor<1x1x2x2xf32>
}

// -----

ax.graph @main(%x: tensor<1x1x2x2xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  // expected-error@unknown {{'ax.conv' cannot give 16 bits: its epilogue leaves the vector unit no room for what rounding takes away}}
  // expected-note@unknown {{leave it, or the layers that read it, out of widened_layers}}
  %t = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <add, clip(0.0, 6.0)> extras %x : tensor<1x1x2x2xf32> : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32> loc("first")
  %y = ax.conv %t, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  ax.return %y : tensor<1x1x2x2xf32>
}

// -----

ax.graph @main(%x: tensor<1x1x2x2xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  // expected-error@unknown {{the result has no calibration statistics}}
  // expected-note@unknown {{run the pass 'calibrate' before 'quantize'}}
  %t = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32> loc("first")
  %y = ax.conv %t, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x2x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x2x2xf32>
  ax.return %y : tensor<1x1x2x2xf32>
}
