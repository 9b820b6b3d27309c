// RUN: ax-opt %s --split-input-file --verify-diagnostics

ax.graph @main(%x: tensor<1x4x2x3xf32> "x", %y: tensor<1x4x1x5xf32> "y") -> () {
  // expected-error@below {{3 heads do not divide 4 channels}}
  %0 = ax.head_matmul %x, %y heads 3 transpose true factor 1.0 : (tensor<1x4x2x3xf32>, tensor<1x4x1x5xf32>) -> tensor<1x5x4x3xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x2x3xf32> "x", %y: tensor<1x4x1x5xf32> "y") -> () {
  // expected-error@below {{4 channels weigh 5 pixels}}
  %0 = ax.head_matmul %x, %y heads 2 transpose false factor 1.0 : (tensor<1x4x2x3xf32>, tensor<1x4x1x5xf32>) -> tensor<1x5x4x3xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x5x2x3xf32> "x", %y: tensor<1x6x1x5xf32> "y") -> () {
  // expected-error@below {{3 heads do not divide 2 rows}}
  %0 = ax.head_matmul %x, %y heads 3 transpose false factor 1.0 : (tensor<1x5x2x3xf32>, tensor<1x6x1x5xf32>) -> tensor<1x5x4x3xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x2x3xf32> "x", %y: tensor<1x4x1x5xf32> "y") -> () {
  // expected-error@below {{result has type tensor<1x5x2x3xf32>, operands give tensor<1x5x4x3xf32>}}
  %0 = ax.head_matmul %x, %y heads 2 transpose true factor 1.0 : (tensor<1x4x2x3xf32>, tensor<1x4x1x5xf32>) -> tensor<1x5x2x3xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x2x3xf32> "x", %y: tensor<1x6x1x5xf32> "y") -> () {
  // expected-error@below {{pixels of 4 and 6 channels have no products}}
  %0 = ax.head_matmul %x, %y heads 2 transpose true factor 1.0 : (tensor<1x4x2x3xf32>, tensor<1x6x1x5xf32>) -> tensor<1x5x4x3xf32>
  ax.return
}
