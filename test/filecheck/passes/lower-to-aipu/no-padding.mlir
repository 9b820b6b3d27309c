// Without apply_pword_padding, channels must be whole pwords.
// RUN: ax-opt %s --split-input-file --verify-diagnostics -p 'lower-to-aipu{apply-pword-padding=false}'

axq.graph @main(%x: tensor<1x64x4x4x!axq.q<0.5 : 0>> "x") -> ("y") {
  %y = axq.map %x epilogue <relu> : tensor<1x64x4x4x!axq.q<0.5 : 0>> -> tensor<1x64x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x64x4x4x!axq.q<0.5 : 0>>
}

// -----

// expected-error@+2 {{tensor 'x' has 65 channels, no multiple of 64, and apply_pword_padding is false}}
// expected-note@below {{set apply_pword_padding to true, or change the network's channels}}
axq.graph @main(%x: tensor<1x65x4x4x!axq.q<0.5 : 0>> "x") -> ("y") {
  %y = axq.map %x epilogue <relu> : tensor<1x65x4x4x!axq.q<0.5 : 0>> -> tensor<1x65x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x65x4x4x!axq.q<0.5 : 0>>
}

// -----

axq.graph @main(%x: tensor<1x64x4x4x!axq.q<0.5 : 0>> "x") -> ("y") {
  // expected-error@below {{has 3 channels, no multiple of 64, and apply_pword_padding is false}}
  %y = axq.slice %x starts [0, 0, 0, 0] ends [1, 3, 4, 4] steps [1, 1, 1, 1]
    : tensor<1x64x4x4x!axq.q<0.5 : 0>> -> tensor<1x3x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x3x4x4x!axq.q<0.5 : 0>>
}
