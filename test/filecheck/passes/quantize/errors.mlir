// What cannot be quantized is refused with the node's name and what to do.
// RUN: ax-opt %s --split-input-file --verify-diagnostics -p quantize

// expected-error@unknown {{the module has no ax.graph @main}}
// expected-note@unknown {{import a model first}}
builtin.module {
}

// -----

// expected-error@+2 {{input 'image' has no calibration statistics}}
// expected-note@+1 {{run the pass 'calibrate' before 'quantize'}}
ax.graph @main(%x: tensor<1x1x1x1xf32> "image") -> () { ax.return }

// -----

ax.graph @main(%x: tensor<1x1x1x1xf32> "x") -> ()
    attributes {arg_stats = [#ax.stats<0.0, 1.0, histogram dense<[1, 1]> : tensor<2xi64>>]} {
  // expected-error@below {{the result has no calibration statistics}}
  %y = ax.relu %x : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  ax.return
}

// -----

// expected-error@+2 {{the statistics of input 'image' hold no histogram}}
// expected-note@+1 {{run 'calibrate' with scheme=per_tensor_histogram, or quantize with scheme=per_tensor_min_max}}
ax.graph @main(%x: tensor<1x1x1x1xf32> "image") -> () attributes {arg_stats = [#ax.stats<0.0, 1.0>]} { ax.return }

// -----

// expected-error@below {{input 'image' is tensor<1x3xf32>; the device takes f32 tensors of rank 4 only}}
ax.graph @main(%x: tensor<1x3xf32> "image") -> () attributes {arg_stats = [#ax.stats<0.0, 1.0>]} { ax.return }

// -----

ax.graph @main(%x: tensor<1x1x1x1xf32> "x") -> ("y") attributes {arg_stats = [#ax.stats<0.0, 1.0, histogram dense<[1, 1]> : tensor<2xi64>>]} {
  // expected-error@+2 {{'ax.softmax' has no quantized form}}
  // expected-note@+1 {{run 'split-host'}}
  %y = ax.softmax %x axis 3 {ax.stats = #ax.stats<0.0, 1.0>} : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  ax.return %y : tensor<1x1x1x1xf32>
}

// -----

ax.graph @main(%x: tensor<1x1x1x1xf32> "x") -> ("y") attributes {arg_stats = [#ax.stats<0.0, 1.0, histogram dense<[1, 1]> : tensor<2xi64>>]} {
  %c = ax.constant dense<1.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  // expected-error@+2 {{'ax.sigmoid' takes a constant where the device needs a tensor}}
  // expected-note@+1 {{run 'canonicalize-graph'}}
  %y = ax.sigmoid %c {ax.stats = #ax.stats<0.0, 1.0, histogram dense<[1, 1]> : tensor<2xi64>>} : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  ax.return %y : tensor<1x1x1x1xf32>
}

// -----

ax.graph @main(%x: tensor<1x1x1x1xf32> "x", %w: tensor<1x1x1x1xf32> "w") -> ("y")
    attributes {arg_stats = [#ax.stats<0.0, 1.0, histogram dense<[1, 1]> : tensor<2xi64>>, #ax.stats<0.0, 1.0, histogram dense<[1, 1]> : tensor<2xi64>>]} {
  // expected-error@below {{the weight must be a constant}}
  %y = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 {ax.stats = #ax.stats<0.0, 1.0>}
    : (tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x1x1xf32>
  ax.return %y : tensor<1x1x1x1xf32>
}

// -----

ax.graph @main(%x: tensor<1x2x1x2xf32> "x") -> ("y") attributes {arg_stats = [#ax.stats<0.0, 1.0, histogram dense<[1, 1]> : tensor<2xi64>>]} {
  %s = ax.constant dense<0.5> : tensor<1x1x2xf32> : tensor<1x1x2xf32>
  // expected-error@below {{a slope of shape [1, 1, 2] is not one number a channel}}
  %y = ax.prelu %x, %s {ax.stats = #ax.stats<0.0, 1.0>} : (tensor<1x2x1x2xf32>, tensor<1x1x2xf32>) -> tensor<1x2x1x2xf32>
  ax.return %y : tensor<1x2x1x2xf32>
}

// -----

ax.graph @main(%x: tensor<1x1x4x4xf32> "x") -> ("y") attributes {arg_stats = [#ax.stats<0.0, 1.0, histogram dense<[1, 1]> : tensor<2xi64>>]} {
  // expected-error@below {{average pooling with dilation cannot be quantized}}
  %y = ax.avg_pool %x kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [2, 2] count_include_pad true
    {ax.stats = #ax.stats<0.0, 1.0>} : tensor<1x1x4x4xf32> -> tensor<1x1x2x2xf32>
  ax.return %y : tensor<1x1x2x2xf32>
}

// -----

ax.graph @main(%x: tensor<1x1x2902x2902xf32> "x") -> ("y") attributes {arg_stats = [#ax.stats<0.0, 1.0, histogram dense<[1, 1]> : tensor<2xi64>>]} {
  // 2902 * 2902 * 255 = 2147509020, 2**31 = 2147483648
  // expected-error@below {{the sum over a window can exceed 32 bits}}
  %y = ax.avg_pool %x kernel [2902, 2902] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] count_include_pad true
    {ax.stats = #ax.stats<0.0, 1.0>} : tensor<1x1x2902x2902xf32> -> tensor<1x1x1x1xf32>
  ax.return %y : tensor<1x1x1x1xf32>
}
