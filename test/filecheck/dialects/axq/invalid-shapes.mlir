// Tensors that the device cannot have.
// RUN: ax-opt %s --split-input-file --verify-diagnostics

// expected-error@below {{expected known dimensions of at least 1, got tensor<1x0x1x1x!axq.q<0.5 : 0>>}}
axq.graph @main(%x: tensor<1x0x1x1x!axq.q<0.5 : 0>> "x") -> () { axq.return }

// -----

// expected-error@below {{expected known dimensions of at least 1, got tensor<1x3x?x1x!axq.q<0.5 : 0>>}}
axq.graph @main(%x: tensor<1x3x?x1x!axq.q<0.5 : 0>> "x") -> () { axq.return }

// -----

axq.graph @main(%x: tensor<1x3x4x4x!axq.q<0.5 : 0>> "x") -> () {
  // expected-error@below {{expected known dimensions of at least 1, got tensor<1x3x0x4x!axq.q<0.5 : 0>>}}
  %y = axq.slice %x starts [0, 0, 2, 0] ends [1, 3, 2, 4] steps [1, 1, 1, 1]
    : tensor<1x3x4x4x!axq.q<0.5 : 0>> -> tensor<1x3x0x4x!axq.q<0.5 : 0>>
  axq.return
}
