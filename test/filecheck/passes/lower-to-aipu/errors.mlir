// What the device cannot take, with the layer's name.
// RUN: ax-opt %s --split-input-file --verify-diagnostics -p lower-to-aipu

// expected-error@+2 {{there is no quantized graph to lower}}
// expected-note@+1 {{run quantize first}}
builtin.module {
}

// -----

axq.graph @main(%x: tensor<1x8x4x4x!axq.q<0.5 : 0>> "x", %e: tensor<1x1x1x1x!axq.q<0.5 : 0>> "e") -> ("y") {
  // expected-error@below {{the vector unit repeats rows and columns of an operand, not channels: it has 1 of 8}}
  %y = axq.map %x epilogue <add> extras %e : tensor<1x1x1x1x!axq.q<0.5 : 0>>
    : tensor<1x8x4x4x!axq.q<0.5 : 0>> -> tensor<1x8x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x8x4x4x!axq.q<0.5 : 0>>
}

// -----

axq.graph @main(%x: tensor<1x8x4x4x!axq.q<0.5 : 0>> "x") -> ("y") {
  // expected-error@unknown {{the epilogue needs 2 tables and 0 tensor operands, the device takes 1 and 2}}
  %y = axq.map %x epilogue <sigmoid, tanh> : tensor<1x8x4x4x!axq.q<0.5 : 0>> -> tensor<1x8x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x8x4x4x!axq.q<0.5 : 0>>
}

// -----

// A tensor that is taken twice counts once.
axq.graph @main(%x: tensor<1x8x4x4x!axq.q<0.5 : 0>> "x") -> ("y") {
  %a = axq.map %x epilogue <relu> : tensor<1x8x4x4x!axq.q<0.5 : 0>> -> tensor<1x8x4x4x!axq.q<0.5 : 0>>
  %b = axq.map %x epilogue <tanh> : tensor<1x8x4x4x!axq.q<0.5 : 0>> -> tensor<1x8x4x4x!axq.q<0.5 : 0>>
  // expected-error@unknown {{the epilogue needs 0 tables and 3 tensor operands, the device takes 1 and 2}}
  %y = axq.map %x epilogue <add, add, mul, mul> extras %x, %a, %b, %a
    : tensor<1x8x4x4x!axq.q<0.5 : 0>>, tensor<1x8x4x4x!axq.q<0.5 : 0>>, tensor<1x8x4x4x!axq.q<0.5 : 0>>,
      tensor<1x8x4x4x!axq.q<0.5 : 0>>
    : tensor<1x8x4x4x!axq.q<0.5 : 0>> -> tensor<1x8x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x8x4x4x!axq.q<0.5 : 0>>
}

// -----

axq.graph @main(%x: tensor<1x8x4x4x!axq.q<0.5 : 0>> "x") -> ("y") {
  // Each clip is two steps, but the bounds at the end are the store's.
  // expected-error@unknown {{the epilogue needs 9 vector steps, the device has 6}}
  // expected-note@unknown {{lower the number of operators fused into one}}
  %y = axq.map %x epilogue <clip(-9.0, 9.0), tanh, clip(-3.0, 3.0), leaky_relu(0.1), clip(-2.0, 2.0), leaky_relu(0.2), relu>
    : tensor<1x8x4x4x!axq.q<0.5 : 0>> -> tensor<1x8x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x8x4x4x!axq.q<0.5 : 0>>
}

// -----

// A window of 128 taps is beyond the depthwise unit, and the array has one padding byte for all channels.
axq.graph @main(%x: tensor<1x2x16x8x!axq.q<0.5 : 0>> "x") -> ("y") {
  %c = axq.map %x : tensor<1x2x16x8x!axq.q<0.5 : 0>>
    -> tensor<1x2x16x8x!axq.q<channels dense<[0.1, 0.2]> : tensor<2xf32> : dense<[0, 1]> : tensor<2xi32>>>
  // expected-error@below {{the matrix array takes no input quantized per channel}}
  %y = axq.conv %c weight dense<1> : tensor<2x1x16x8xi8> scale dense<1.0> : tensor<2xf32> bias dense<0> : tensor<2xi32>
    strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2
    : tensor<1x2x16x8x!axq.q<channels dense<[0.1, 0.2]> : tensor<2xf32> : dense<[0, 1]> : tensor<2xi32>>>
    -> tensor<1x2x1x1x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x2x1x1x!axq.q<0.5 : 0>>
}

// -----

axq.graph @main(%x: tensor<1x1x1x1x!axq.q<0.5 : 127>> "x") -> ("y") {
  // 2147483647 - 127 * -128
  // expected-error@below {{the bias does not fit 32 bits once the input's zero point is folded in}}
  %y = axq.conv %x weight dense<-128> : tensor<1x1x1x1xi8> scale dense<1.0> : tensor<1xf32>
    bias dense<2147483647> : tensor<1xi32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : tensor<1x1x1x1x!axq.q<0.5 : 127>> -> tensor<1x1x1x1x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x1x1x1x!axq.q<0.5 : 0>>
}

// -----

// The store has no such weights.
axq.graph @main(%x: tensor<1x8x1x1x!axq.q<0.5 : 0>> "x") -> ("y") {
  // expected-error@unknown {{weight 00112233445566778899aabbccddeeff is not in the weight store}}
  %y = axq.conv %x weight #ax.weight<"00112233445566778899aabbccddeeff", tensor<16x8x1x1xi8>>
    scale dense<1.0> : tensor<16xf32> bias dense<0> : tensor<16xi32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : tensor<1x8x1x1x!axq.q<0.5 : 0>> -> tensor<1x16x1x1x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x16x1x1x!axq.q<0.5 : 0>>
}
