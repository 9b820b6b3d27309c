// RUN: ax-opt %s --split-input-file --verify-diagnostics -p 'smooth-activations{activation-smoothing=0.5}'

ax.graph @main(%x: tensor<1x2x1x4xf32> "x") -> ("y") {
  // expected-error@+2 {{the statistics of the result hold no extremes per channel}}
  // expected-note@+1 {{run 'calibrate' with activation-smoothing}}
  %n = ax.normalize %x axes [1] epsilon 1.0e-06 {ax.stats = #ax.stats<-16.0, 16.0>} : tensor<1x2x1x4xf32> -> tensor<1x2x1x4xf32>
  %w = ax.constant dense<[[[[1.0]], [[1.0]]]]> : tensor<1x2x1x1xf32> : tensor<1x2x1x1xf32>
  %y = ax.conv %n, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x1x4xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x1x4xf32>
  ax.return %y : tensor<1x1x1x4xf32>
}

// -----

ax.graph @main(%x: tensor<1x2x1x4xf32> "x") -> ("y") {
  // expected-error@+2 {{the result has no calibration statistics}}
  // expected-note@+1 {{run the pass 'calibrate' before 'quantize'}}
  %n = ax.normalize %x axes [1] epsilon 1.0e-06 : tensor<1x2x1x4xf32> -> tensor<1x2x1x4xf32>
  %w = ax.constant dense<[[[[1.0]], [[1.0]]]]> : tensor<1x2x1x1xf32> : tensor<1x2x1x1xf32>
  %y = ax.conv %n, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x1x4xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x1x4xf32>
  ax.return %y : tensor<1x1x1x4xf32>
}
