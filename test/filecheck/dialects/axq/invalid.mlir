// What the quantized graph's verifiers refuse.
// RUN: ax-opt %s --split-input-file --verify-diagnostics

// --- the type

// expected-error@below {{scale must be positive and finite, not 0.0}}
axq.graph @main(%x: tensor<1x1x1x1x!axq.q<0.0 : 0>> "x") -> () { axq.return }

// -----

// 1.0e-60 is zero in binary32.
// expected-error@below {{scale must be positive and finite, not 0.0}}
axq.graph @main(%x: tensor<1x1x1x1x!axq.q<1.0e-60 : 0>> "x") -> () { axq.return }

// -----

// expected-error@below {{zero point 128 does not fit a signed byte}}
axq.graph @main(%x: tensor<1x1x1x1x!axq.q<0.5 : 128>> "x") -> () { axq.return }

// -----

// expected-error@below {{scales and zero points must be vectors of one length}}
axq.graph @main(%x: tensor<1x2x1x1x!axq.q<channels dense<[0.1, 0.2]> : tensor<2xf32> : dense<[0]> : tensor<1xi32>>> "x") -> () { axq.return }

// -----

// expected-error@below {{scales must be f32 and zero points i32}}
axq.graph @main(%x: tensor<1x2x1x1x!axq.q<channels dense<[0.1, 0.2]> : tensor<2xf64> : dense<[0, 1]> : tensor<2xi32>>> "x") -> () { axq.return }

// -----

// --- the graph

// expected-error@below {{2 scales for 3 channels}}
axq.graph @main(%x: tensor<1x3x1x1x!axq.q<channels dense<[0.1, 0.2]> : tensor<2xf32> : dense<[0, 1]> : tensor<2xi32>>> "x") -> () { axq.return }

// -----

// expected-error@below {{expected a quantized tensor, got tensor<1x3x1x1xf32>}}
axq.graph @main(%x: tensor<1x3x1x1xf32> "x") -> () { axq.return }

// -----

// expected-error@below {{expected rank 4 (NCHW), got tensor<3x!axq.q<0.5 : 0>>}}
axq.graph @main(%x: tensor<3x!axq.q<0.5 : 0>> "x") -> () { axq.return }

// -----

// expected-error@below {{1 output names for 0 returned values}}
axq.graph @main(%x: tensor<1x1x1x1x!axq.q<0.5 : 0>> "x") -> ("y") { axq.return }

// -----

// expected-error@below {{input names are not unique}}
axq.graph @main(%x: tensor<1x1x1x1x!axq.q<0.5 : 0>> "x", %y: tensor<1x1x1x1x!axq.q<0.5 : 0>> "x") -> () { axq.return }

// -----

// --- conv

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{weight expects 3 input channels, input has 2}}
  %y = axq.conv %x weight dense<1> : tensor<1x3x1x1xi8> scale dense<1.0> : tensor<1xf32> bias dense<0> : tensor<1xi32>
    strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x1x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{result has type tensor<1x1x4x4x!axq.q<0.5 : 0>>, operands give tensor<1x1x2x4x!axq.q<0.5 : 0>>}}
  %y = axq.conv %x weight dense<1> : tensor<1x2x1x1xi8> scale dense<1.0> : tensor<1xf32> bias dense<0> : tensor<1xi32>
    strides [2, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x1x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{weight must be tensor<1x2x1x1xi8>, it is tensor<1x2x1x1xi16>}}
  %y = axq.conv %x weight dense<1> : tensor<1x2x1x1xi16> scale dense<1.0> : tensor<1xf32> bias dense<0> : tensor<1xi32>
    strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x1x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{weight_scale must be tensor<2xf32>, it is tensor<1xf32>}}
  %y = axq.conv %x weight dense<1> : tensor<2x2x1x1xi8> scale dense<1.0> : tensor<1xf32> bias dense<0> : tensor<2xi32>
    strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{bias must be tensor<1xi32>, it is tensor<1xi64>}}
  %y = axq.conv %x weight dense<1> : tensor<1x2x1x1xi8> scale dense<1.0> : tensor<1xf32> bias dense<0> : tensor<1xi64>
    strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x1x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<channels dense<[0.1, 0.2]> : tensor<2xf32> : dense<[0, 1]> : tensor<2xi32>>> "x") -> () {
  // expected-error@below {{only a depthwise convolution can take an input quantized per channel}}
  %y = axq.conv %x weight dense<1> : tensor<1x2x1x1xi8> scale dense<1.0> : tensor<1xf32> bias dense<0> : tensor<1xi32>
    strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : tensor<1x2x4x4x!axq.q<channels dense<[0.1, 0.2]> : tensor<2xf32> : dense<[0, 1]> : tensor<2xi32>>> -> tensor<1x1x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

// --- conv_transpose

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{weight expects}}
  %y = axq.conv_transpose %x weight dense<1> : tensor<3x1x1x1xi8> scale dense<1.0> : tensor<1xf32> bias dense<0> : tensor<1xi32>
    strides [1, 1] pads [0, 0, 0, 0] output_padding [0, 0] dilations [1, 1] group 1
    : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x1x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

// --- epilogue

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{unknown epilogue step 'swish'}}
  %y = axq.map %x epilogue <swish> : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{clip bounds are in the wrong order}}
  %y = axq.map %x epilogue <clip(1.0, 0.0)> : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{epilogue step 'leaky_relu' takes 1 constants, 0 given}}
  %y = axq.map %x epilogue <leaky_relu> : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{the epilogue takes 1 extra operands, 0 given}}
  %y = axq.map %x epilogue <add> : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x", %e: tensor<1x3x1x1x!axq.q<0.5 : 0>> "e") -> () {
  // expected-error@below {{an epilogue operand of type tensor<1x3x1x1x!axq.q<0.5 : 0>> does not broadcast to tensor<1x2x4x4x!axq.q<0.5 : 0>>}}
  %y = axq.map %x epilogue <add> extras %e : tensor<1x3x1x1x!axq.q<0.5 : 0>>
    : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{a slope belongs to exactly one prelu step}}
  %y = axq.map %x epilogue <prelu> : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{a slope belongs to exactly one prelu step}}
  %y = axq.map %x epilogue <relu> slope dense<0.1> : tensor<2xf32>
    : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{slope must be tensor<2xf32>, it is tensor<1xf32>}}
  %y = axq.map %x epilogue <prelu> slope dense<0.1> : tensor<1xf32>
    : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

// --- map, pools

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{result has type tensor<1x2x4x1x!axq.q<0.5 : 0>>}}
  %y = axq.map %x : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x1x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // The largest byte is the largest value only where the scale is the same.
  // expected-error@below {{result has type tensor<1x2x4x4x!axq.q<0.25 : 0>>, operands give tensor<1x2x4x4x!axq.q<0.5 : 0>>}}
  %y = axq.max_pool %x kernel [1, 1] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]
    : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.25 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{window of 5 is larger than the padded input of 4}}
  %y = axq.avg_pool %x kernel [5, 5] strides [1, 1] pads [0, 0, 0, 0] count_include_pad false
    : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x1x1x!axq.q<0.5 : 0>>
  axq.return
}

// -----

// --- softmax

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{axis is 3; a softmax is along the channels, axis 1}}
  %y = axq.softmax %x axis 3 neutral -1.0 : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{neutral is -1e+30; its magnitude is at most 2**60}}
  %y = axq.softmax %x axis 1 neutral -1.0e30 : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{a softmax takes and gives tensors with one scale}}
  %y = axq.softmax %x axis 1 neutral -1.0 : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<channels dense<[0.1, 0.2]> : tensor<2xf32> : dense<[0, 1]> : tensor<2xi32>>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{result has type tensor<1x1x4x4x!axq.q<0.5 : 0>>, operands give tensor<1x2x4x4x!axq.q<0.5 : 0>>}}
  %y = axq.softmax %x axis 1 neutral -1.0 : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x1x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

// --- matmul, normalize

axq.graph @main(%x: tensor<1x6x2x2x!axq.q<0.5 : 3>> "x", %y: tensor<1x6x1x4x!axq.q<0.1 : 3>> "y") -> () {
  // expected-error@below {{the second tensor has the zero point 3, legal is 0}}
  %z = axq.matmul %x, %y heads 2 transpose true factor 1.0 : (tensor<1x6x2x2x!axq.q<0.5 : 3>>, tensor<1x6x1x4x!axq.q<0.1 : 3>>) -> tensor<1x4x4x2x!axq.q<0.5 : 3>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x6x2x2x!axq.q<0.5 : 3>> "x", %y: tensor<1x6x1x4x!axq.q<0.1 : 0>> "y") -> () {
  // expected-error@below {{4 heads do not divide 6 channels}}
  %z = axq.matmul %x, %y heads 4 transpose true factor 1.0 : (tensor<1x6x2x2x!axq.q<0.5 : 3>>, tensor<1x6x1x4x!axq.q<0.1 : 0>>) -> tensor<1x4x4x2x!axq.q<0.5 : 3>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x6x2x2x!axq.q<0.5 : 3>> "x", %y: tensor<1x8x1x4x!axq.q<0.1 : 0>> "y") -> () {
  // expected-error@below {{pixels of 6 and 8 channels have no products}}
  %z = axq.matmul %x, %y heads 2 transpose true factor 1.0 : (tensor<1x6x2x2x!axq.q<0.5 : 3>>, tensor<1x8x1x4x!axq.q<0.1 : 0>>) -> tensor<1x4x4x2x!axq.q<0.5 : 3>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x6x2x2x!axq.q<0.5 : 3>> "x", %y: tensor<1x6x1x4x!axq.q<0.1 : 0>> "y") -> () {
  // expected-error@below {{6 channels weigh 4 pixels}}
  %z = axq.matmul %x, %y heads 2 transpose false factor 1.0 : (tensor<1x6x2x2x!axq.q<0.5 : 3>>, tensor<1x6x1x4x!axq.q<0.1 : 0>>) -> tensor<1x4x4x2x!axq.q<0.5 : 3>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x6x2x2x!axq.q<0.5 : 3>> "x", %y: tensor<1x6x1x4x!axq.q<0.1 : 0>> "y") -> () {
  // expected-error@below {{result has type tensor<1x4x2x2x!axq.q<0.5 : 3>>, operands give tensor<1x4x4x2x!axq.q<0.5 : 3>>}}
  %z = axq.matmul %x, %y heads 2 transpose true factor 1.0 : (tensor<1x6x2x2x!axq.q<0.5 : 3>>, tensor<1x6x1x4x!axq.q<0.1 : 0>>) -> tensor<1x4x2x2x!axq.q<0.5 : 3>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x6x2x2x!axq.q<0.5 : 3>> "x", %y: tensor<1x6x1x4x!axq.q<0.1 : 0>> "y") -> () {
  // expected-error@below {{factor is 0.0; its magnitude is at most 2**60, and not 0}}
  %z = axq.matmul %x, %y heads 2 transpose true factor 0.0 : (tensor<1x6x2x2x!axq.q<0.5 : 3>>, tensor<1x6x1x4x!axq.q<0.1 : 0>>) -> tensor<1x4x4x2x!axq.q<0.5 : 3>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x70000x1x1x!axq.q<0.5 : 3>> "x", %y: tensor<1x70000x1x1x!axq.q<0.5 : 0>> "y") -> () {
  // expected-error@below {{a sum of 70000 products can exceed 32 bits}}
  %z = axq.matmul %x, %y heads 1 transpose true factor 1.0 : (tensor<1x70000x1x1x!axq.q<0.5 : 3>>, tensor<1x70000x1x1x!axq.q<0.5 : 0>>) -> tensor<1x1x1x1x!axq.q<0.5 : 3>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x6x1x4x!axq.q<0.1 : 0>> "x") -> () {
  // expected-error@below {{groups of 4 do not divide 6 channels}}
  %y = axq.normalize %x factor dense<1.0> : tensor<6xf32> summand dense<0.0> : tensor<6xf32> group 4 spatial false epsilon 1.0e-5 : tensor<1x6x1x4x!axq.q<0.1 : 0>> -> tensor<1x6x1x4x!axq.q<0.1 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x6x1x4x!axq.q<0.1 : 0>> "x") -> () {
  // expected-error@below {{factor must be tensor<6xf32>, it is tensor<2xf32>}}
  %y = axq.normalize %x factor dense<1.0> : tensor<2xf32> summand dense<0.0> : tensor<2xf32> group 6 spatial false epsilon 1.0e-5 : tensor<1x6x1x4x!axq.q<0.1 : 0>> -> tensor<1x6x1x4x!axq.q<0.1 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x6x1x4x!axq.q<0.1 : 0>> "x") -> () {
  // expected-error@below {{epsilon is 0.0; in units of the input it leaves binary32}}
  %y = axq.normalize %x factor dense<1.0> : tensor<6xf32> summand dense<0.0> : tensor<6xf32> group 6 spatial false epsilon 0.0 : tensor<1x6x1x4x!axq.q<0.1 : 0>> -> tensor<1x6x1x4x!axq.q<0.1 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x1x1200x1200x!axq.q<0.1 : 0>> "x") -> () {
  // expected-error@below {{statistics of 1440000 values, at most 1048576 are exact}}
  %y = axq.normalize %x factor dense<1.0> : tensor<1xf32> summand dense<0.0> : tensor<1xf32> group 1 spatial true epsilon 1.0e-5 : tensor<1x1x1200x1200x!axq.q<0.1 : 0>> -> tensor<1x1x1200x1200x!axq.q<0.1 : 0>>
  axq.return
}

// -----

// --- constant, reshape, concat, slice

axq.graph @main() -> () {
  // expected-error@below {{the constant must be tensor<1x2x1x1xi8>, it is tensor<1x2x1x1xi32>}}
  %y = axq.constant dense<1> : tensor<1x2x1x1xi32> : tensor<1x2x1x1x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{a reshape to [1, 4, 4, 2] does not keep batch and channels}}
  %y = axq.reshape %x shape [1, 4, 4, 2] : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x4x4x2x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{[1, 2, 4, 4] to [2, 4, 4, 1] is no rearrangement of [1, C, H, W]}}
  %y = axq.rearrange %x split [2, 4, 4] perm [0, 2, 1] shape [2, 4, 4, 1] : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<2x4x4x1x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{axis is 1; a gather picks rows, axis 2, or columns, axis 3}}
  %y = axq.gather %x axis 1 indices [1, 0] : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x", %y: tensor<1x2x4x4x!axq.q<0.25 : 0>> "y") -> () {
  // expected-error@below {{concat inputs differ in scale or zero point}}
  %z = axq.concat %x, %y axis 1 : (tensor<1x2x4x4x!axq.q<0.5 : 0>>, tensor<1x2x4x4x!axq.q<0.25 : 0>>) -> tensor<1x4x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{slice [0:5:1] does not fit an axis of 4}}
  %y = axq.slice %x starts [0, 0, 0, 0] ends [1, 2, 4, 5] steps [1, 1, 1, 1]
    : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return
}

// -----

axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{expected a quantized tensor, got tensor<1x2x4x2xf32>}}
  %y = axq.slice %x starts [0, 0, 0, 0] ends [1, 2, 4, 2] steps [1, 1, 1, 1]
    : tensor<1x2x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x2xf32>
  axq.return
}

// -----

// expected-error@below {{scale and zero point must both be numbers, or constants of one element a channel}}
axq.graph @main(%x: tensor<1x2x1x1x!axq.q<channels 0.5 : f32 : dense<[0, 1]> : tensor<2xi32>>> "x") -> () { axq.return }
