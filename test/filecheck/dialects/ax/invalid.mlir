// What the graph dialect's verifiers refuse.
// RUN: ax-opt %s --split-input-file --verify-diagnostics

// graph

// expected-error@below {{1 output names for 0 returned values}}
ax.graph @main() -> ("y") {
  ax.return
}

// -----

// expected-error@below {{output names are not unique}}
ax.graph @main(%x: tensor<1xf32> "x") -> ("y", "y") {
  ax.return %x, %x : tensor<1xf32>, tensor<1xf32>
}

// -----

// expected-error@below {{input names are not unique}}
ax.graph @main(%x: tensor<1xf32> "x", %y: tensor<1xf32> "x") -> () {
  ax.return
}

// -----

// expected-error@below {{a graph must end with a return}}
ax.graph @main(%x: tensor<1xf32> "x") -> () {
  %0 = ax.relu %x : tensor<1xf32> -> tensor<1xf32> // expected-error {{ends its block but is not a terminator}}
}

// -----

// expected-error@below {{0 input names for 1 inputs}}
"ax.graph"() <{sym_name = "main", inputs = [], outputs = []}> ({
^bb0(%x: tensor<1xf32>):
  "ax.return"() : () -> ()
}) : () -> ()

// -----

// expected-error@below {{minimum 1.0 is above maximum 0.0}}
ax.graph @main() -> () attributes {s = #ax.stats<1.0, 0.0>} {
  ax.return
}

// -----

// conv

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{result has type tensor<1x6x8x8xf32>, operands give tensor<1x6x6x6xf32>}}
  %0 = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x8x8xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x") -> () {
  %v = ax.constant dense<0.0> : tensor<6x2x3x3xf32> : tensor<6x2x3x3xf32>
  // expected-error@below {{weight expects 2 input channels, input has 4}}
  %0 = ax.conv %x, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x4x8x8xf32>, tensor<6x2x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{group 3 does not divide 4 input and 6 output channels}}
  %0 = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 3 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{group 0 does not divide}}
  %0 = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 0 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{strides must be two positive numbers, not [0, 1]}}
  %0 = ax.conv %x, %w strides [0, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{dilations must be two positive numbers, not [1, 1, 1]}}
  %0 = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1, 1] group 1 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{pads must be four numbers >= 0, not [0, 0]}}
  %0 = ax.conv %x, %w strides [1, 1] pads [0, 0] dilations [1, 1] group 1 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{pads must be four numbers >= 0, not [0, 0, 0, -1]}}
  %0 = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, -1] dilations [1, 1] group 1 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{window of 9 is larger than the padded input of 8}}
  %0 = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [4, 1] group 1 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{input must have rank 4 (NCHW), it has rank 2}}
  %0 = ax.conv %m, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<3x5xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w", %c: tensor<4xf32> "c") -> () {
  // expected-error@below {{bias must have shape [6], it has [4]}}
  %0 = ax.conv %x, %w bias %c : tensor<4xf32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{the epilogue takes 1 extra operands, 0 given}}
  %0 = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <add> : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{the epilogue takes 0 extra operands, 1 given}}
  %0 = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 extras %x : tensor<1x4x8x8xf32> : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{an epilogue operand of type tensor<1x4x8x8xf32> does not broadcast to tensor<1x6x6x6xf32>}}
  %0 = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <mul> extras %x : tensor<1x4x8x8xf32> : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

// epilogue

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{unknown epilogue step 'softmax'}}
  %0 = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <softmax> : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{epilogue step 'clip' takes 2 constants, 1 given}}
  %0 = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <clip(1.0)> : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %w: tensor<6x4x3x3xf32> "w") -> () {
  // expected-error@below {{clip bounds are in the wrong order: (6.0, 0.0)}}
  %0 = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <clip(6.0, 0.0)> : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x") -> () {
  %v = ax.constant dense<0.0> : tensor<6x4x3x3xf16> : tensor<6x4x3x3xf16>
  // expected-error@below {{operand of type tensor<6x4x3x3xf16> for a result of type tensor<1x6x6x6xf32>}}
  %0 = ax.conv %x, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf16>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

// conv_transpose

ax.graph @main(%w: tensor<6x4x3x3xf32> "w") -> () {
  %y = ax.constant dense<0.0> : tensor<1x6x4x4xf32> : tensor<1x6x4x4xf32>
  // expected-error@below {{result has type tensor<1x4x8x8xf32>, operands give tensor<1x4x9x9xf32>}}
  %0 = ax.conv_transpose %y, %w strides [2, 2] pads [0, 0, 0, 0] output_padding [0, 0] dilations [1, 1] group 1 : (tensor<1x6x4x4xf32>, tensor<6x4x3x3xf32>) -> tensor<1x4x8x8xf32>
  ax.return
}

// -----

ax.graph @main(%w: tensor<6x4x3x3xf32> "w") -> () {
  %y = ax.constant dense<0.0> : tensor<1x6x4x4xf32> : tensor<1x6x4x4xf32>
  // expected-error@below {{output_padding must be two numbers >= 0, not [-1, 0]}}
  %0 = ax.conv_transpose %y, %w strides [2, 2] pads [0, 0, 0, 0] output_padding [-1, 0] dilations [1, 1] group 1 : (tensor<1x6x4x4xf32>, tensor<6x4x3x3xf32>) -> tensor<1x4x9x9xf32>
  ax.return
}

// -----

ax.graph @main(%w: tensor<6x4x3x3xf32> "w") -> () {
  %y = ax.constant dense<0.0> : tensor<1x6x4x4xf32> : tensor<1x6x4x4xf32>
  // expected-error@below {{strides must be two positive numbers, not [2]}}
  %0 = ax.conv_transpose %y, %w strides [2] pads [0, 0, 0, 0] output_padding [0, 0] dilations [1, 1] group 1 : (tensor<1x6x4x4xf32>, tensor<6x4x3x3xf32>) -> tensor<1x4x9x9xf32>
  ax.return
}

// -----

ax.graph @main(%w: tensor<6x4x3x3xf32> "w") -> () {
  %y = ax.constant dense<0.0> : tensor<1x6x4x4xf32> : tensor<1x6x4x4xf32>
  // expected-error@below {{leave no output}}
  %0 = ax.conv_transpose %y, %w strides [2, 2] pads [9, 0, 9, 0] output_padding [0, 0] dilations [1, 1] group 1 : (tensor<1x6x4x4xf32>, tensor<6x4x3x3xf32>) -> tensor<1x4x9x9xf32>
  ax.return
}

// -----

ax.graph @main(%w: tensor<6x4x3x3xf32> "w") -> () {
  %y = ax.constant dense<0.0> : tensor<1x6x4x4xf32> : tensor<1x6x4x4xf32>
  // expected-error@below {{group 4 does not divide 6 input channels}}
  %0 = ax.conv_transpose %y, %w strides [2, 2] pads [0, 0, 0, 0] output_padding [0, 0] dilations [1, 1] group 4 : (tensor<1x6x4x4xf32>, tensor<6x4x3x3xf32>) -> tensor<1x4x9x9xf32>
  ax.return
}

// -----

ax.graph @main(%w: tensor<6x4x3x3xf32> "w", %b: tensor<6xf32> "b") -> () {
  %y = ax.constant dense<0.0> : tensor<1x6x4x4xf32> : tensor<1x6x4x4xf32>
  // expected-error@below {{bias must have shape [4], it has [6]}}
  %0 = ax.conv_transpose %y, %w bias %b : tensor<6xf32> strides [2, 2] pads [0, 0, 0, 0] output_padding [0, 0] dilations [1, 1] group 1 : (tensor<1x6x4x4xf32>, tensor<6x4x3x3xf32>) -> tensor<1x4x9x9xf32>
  ax.return
}

// -----

// gemm and matmul

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{inner dimensions differ: 5 and 3}}
  %0 = ax.gemm %m, %m alpha 1.0 beta 1.0 trans_a false trans_b false : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x3xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{gemm takes matrices, not ranks 4 and 2}}
  %0 = ax.gemm %x, %m alpha 1.0 beta 1.0 trans_a false trans_b false : (tensor<1x4x8x8xf32>, tensor<3x5xf32>) -> tensor<3x3xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{do not broadcast}}
  %0 = ax.gemm %m, %m plus %m : tensor<3x5xf32> alpha 1.0 beta 1.0 trans_a false trans_b true : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x3xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{inner dimensions differ: 5 and 3}}
  %0 = ax.matmul %m, %m : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x3xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m", %c: tensor<4xf32> "c") -> () {
  // expected-error@below {{matmul operands need rank >= 2}}
  %0 = ax.matmul %m, %c : (tensor<3x5xf32>, tensor<4xf32>) -> tensor<3xf32>
  ax.return
}

// -----

// batch_norm

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %c: tensor<4xf32> "c", %b: tensor<6xf32> "b") -> () {
  // expected-error@below {{mean must have shape [4]}}
  %0 = ax.batch_norm %x scale %c bias %c mean %b variance %c epsilon 1.0e-5 : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<6xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  ax.return
}

// -----

ax.graph @main(%c: tensor<4xf32> "c") -> () {
  // expected-error@below {{batch_norm needs a channel axis}}
  %0 = ax.batch_norm %c scale %c bias %c mean %c variance %c epsilon 1.0e-5 : (tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  ax.return
}

// -----

// pooling and reduction

ax.graph @main(%x: tensor<1x4x8x8xf32> "x") -> () {
  // expected-error@below {{result has type tensor<1x4x4x4xf32>, operands give tensor<1x4x3x3xf32>}}
  %0 = ax.max_pool %x kernel [3, 3] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x") -> () {
  // expected-error@below {{kernel must be two positive numbers, not [2, 0]}}
  %0 = ax.max_pool %x kernel [2, 0] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x") -> () {
  // expected-error@below {{pads [0, 2, 0, 0] are so large that a window lies in the padding alone}}
  %0 = ax.max_pool %x kernel [2, 2] strides [2, 2] pads [0, 2, 0, 0] dilations [1, 1] : tensor<1x4x8x8xf32> -> tensor<1x4x4x5xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x") -> () {
  // expected-error@below {{pads [0, 0, 2, 0] are so large that a window lies in the padding alone}}
  %0 = ax.max_pool %x kernel [2, 2] strides [2, 2] pads [0, 0, 2, 0] dilations [1, 1] : tensor<1x4x8x8xf32> -> tensor<1x4x5x4xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x") -> () {
  // expected-error@below {{taps 9 apart can miss a padded input of 8}}
  %0 = ax.max_pool %x kernel [2, 2] strides [2, 2] pads [4, 0, 4, 0] dilations [9, 1] : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{input must have rank 4 (NCHW), it has rank 2}}
  %0 = ax.avg_pool %m kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] count_include_pad true : tensor<3x5xf32> -> tensor<1x4x4x4xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x") -> () {
  // expected-error@below {{the epilogue takes 1 extra operands, 0 given}}
  %0 = ax.avg_pool %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] count_include_pad true epilogue <add> : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{global pooling needs a spatial axis}}
  %0 = ax.global_avg_pool %m : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x") -> () {
  // expected-error@below {{result has type tensor<1x4xf32>, operands give tensor<1x4x1x1xf32>}}
  %0 = ax.global_avg_pool %x : tensor<1x4x8x8xf32> -> tensor<1x4xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{global pooling needs a spatial axis}}
  %0 = ax.global_max_pool %m : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x") -> () {
  // expected-error@below {{result has type tensor<1x4xf32>, operands give tensor<1x4x1x1xf32>}}
  %0 = ax.global_max_pool %x : tensor<1x4x8x8xf32> -> tensor<1x4xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{axes [2] do not fit rank 2}}
  %0 = ax.reduce %m mean axes [2] keepdims true : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{axes [-1] do not fit rank 2}}
  %0 = ax.reduce %m mean axes [-1] keepdims true : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{axes [1, 1] do not fit rank 2}}
  %0 = ax.reduce %m mean axes [1, 1] keepdims true : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

// elementwise

ax.graph @main(%m: tensor<3x5xf32> "m", %c: tensor<4xf32> "c") -> () {
  // expected-error@below {{shapes [3, 5] and [4] do not broadcast}}
  %0 = ax.add %m, %c : (tensor<3x5xf32>, tensor<4xf32>) -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m", %c: tensor<4xf32> "c") -> () {
  // expected-error@below {{shapes [3, 5] and [4] do not broadcast}}
  %0 = ax.sub %m, %c : (tensor<3x5xf32>, tensor<4xf32>) -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m", %c: tensor<4xf32> "c") -> () {
  // expected-error@below {{shapes [3, 5] and [4] do not broadcast}}
  %0 = ax.mul %m, %c : (tensor<3x5xf32>, tensor<4xf32>) -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m", %c: tensor<4xf32> "c") -> () {
  // expected-error@below {{shapes [3, 5] and [4] do not broadcast}}
  %0 = ax.div %m, %c : (tensor<3x5xf32>, tensor<4xf32>) -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  %i = ax.constant dense<0> : tensor<5xi64> : tensor<5xi64>
  // expected-error@below {{for a result of type tensor<3x5xf32>}}
  %0 = ax.add %m, %i : (tensor<3x5xf32>, tensor<5xi64>) -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{result has type tensor<5x3xf32>, operands give tensor<3x5xf32>}}
  %0 = ax.relu %m : tensor<3x5xf32> -> tensor<5x3xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{result has type tensor<5x3xf32>, operands give tensor<3x5xf32>}}
  %0 = ax.sigmoid %m : tensor<3x5xf32> -> tensor<5x3xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{result has type tensor<5x3xf32>, operands give tensor<3x5xf32>}}
  %0 = ax.tanh %m : tensor<3x5xf32> -> tensor<5x3xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{result has type tensor<5x3xf32>, operands give tensor<3x5xf32>}}
  %0 = ax.silu %m : tensor<3x5xf32> -> tensor<5x3xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{result has type tensor<5x3xf32>, operands give tensor<3x5xf32>}}
  %0 = ax.hard_swish %m : tensor<3x5xf32> -> tensor<5x3xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{result has type tensor<5x3xf32>, operands give tensor<3x5xf32>}}
  %0 = ax.hard_sigmoid %m alpha 0.2 beta 0.5 : tensor<3x5xf32> -> tensor<5x3xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{result has type tensor<5x3xf32>, operands give tensor<3x5xf32>}}
  %0 = ax.leaky_relu %m alpha 0.1 : tensor<3x5xf32> -> tensor<5x3xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{result has type tensor<5x3xf32>, operands give tensor<3x5xf32>}}
  %0 = ax.clip %m min 0.0 max 6.0 : tensor<3x5xf32> -> tensor<5x3xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{result has type tensor<5x3xf32>, operands give tensor<3x5xf32>}}
  %0 = ax.softmax %m axis 1 : tensor<3x5xf32> -> tensor<5x3xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{clip bounds are in the wrong order}}
  %0 = ax.clip %m min 1.0 max 0.0 : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{axis 2 is outside rank 2}}
  %0 = ax.softmax %m axis 2 : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{axis -1 is outside rank 2}}
  %0 = ax.softmax %m axis -1 : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  %s = ax.constant dense<0.0> : tensor<2x3x5xf32> : tensor<2x3x5xf32>
  // expected-error@below {{does not broadcast to [3, 5]}}
  %0 = ax.prelu %m, %s : (tensor<3x5xf32>, tensor<2x3x5xf32>) -> tensor<3x5xf32>
  ax.return
}

// -----

// data movement

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{axis 2 is outside rank 2}}
  %0 = ax.concat %m, %m axis 2 : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{[1, 4, 8, 8] and [3, 5] differ outside axis 0}}
  %0 = ax.concat %m, %x axis 0 : (tensor<3x5xf32>, tensor<1x4x8x8xf32>) -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main() -> () {
  // expected-error@below {{concat needs an input}}
  %0 = ax.concat axis 0 : () -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{slice [0:6:1] does not fit an axis of 5}}
  %0 = ax.slice %m starts [0, 0] ends [3, 6] steps [1, 1] : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{slice [-1:3:1] does not fit an axis of 3}}
  %0 = ax.slice %m starts [-1, 0] ends [3, 5] steps [1, 1] : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{slice [0:5:0] does not fit an axis of 5}}
  %0 = ax.slice %m starts [0, 0] ends [3, 5] steps [1, 0] : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{slice needs one start, end and step for each of 2 axes}}
  %0 = ax.slice %m starts [0] ends [3, 5] steps [1, 1] : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{pad needs 4 numbers, not 2}}
  %0 = ax.pad %m pads [0, 0] value 0.0 : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{pads [-4, 0, 0, 0] leave no output}}
  %0 = ax.pad %m pads [-4, 0, 0, 0] value 0.0 : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<4x6xf32> "m") -> () {
  // expected-error@below {{axes of [4, 6] are no products of neighbours in [3, 8]}}
  %0 = ax.rearrange %m split [3, 8] perm [1, 0] shape [8, 3] : tensor<4x6xf32> -> tensor<8x3xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<4x6xf32> "m") -> () {
  // expected-error@below {{axes of [8, 3] are no products of neighbours in [6, 4]}}
  %0 = ax.rearrange %m split [4, 6] perm [1, 0] shape [8, 3] : tensor<4x6xf32> -> tensor<8x3xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{[3, 5] has 15 elements, [4, 4] has 16}}
  %0 = ax.reshape %m shape [4, 4] : tensor<3x5xf32> -> tensor<4x4xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{shape [-3, -5] has a negative dimension}}
  %0 = ax.reshape %m shape [-3, -5] : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{[0, 0] is no permutation of 2 axes}}
  %0 = ax.transpose %m perm [0, 0] : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{operands give tensor<5x3xf32>}}
  %0 = ax.transpose %m perm [1, 0] : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return
}

// -----

// constant and onnx

ax.graph @main() -> () {
  // expected-error@below {{result has type tensor<3xf32>, the constant tensor<1xf32>}}
  %0 = "ax.constant"() <{value = dense<0.0> : tensor<1xf32>}> : () -> tensor<3xf32>
  ax.return
}

// -----

ax.graph @main() -> () {
  // expected-error@below {{weight key must be 32 hexadecimal digits, not 'abc'}}
  %0 = ax.constant #ax.weight<"abc", tensor<100xf32>> : tensor<100xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{2 inputs are present, 1 given}}
  %0 = ax.onnx "Foo"(%m) opset 17 present [1, 0, 1] with {} : (tensor<3x5xf32>) -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{present holds flags, not [2]}}
  %0 = ax.onnx "Foo"(%m) opset 17 present [2] with {} : (tensor<3x5xf32>) -> tensor<3x5xf32>
  ax.return
}

// -----

ax.graph @main() -> () {
  // expected-error@below {{expected a tensor, got i32}}
  %0 = ax.onnx "Foo"() opset 17 present [] with {} : () -> i32
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x4x8x8xf32> "x", %m: tensor<3x5xf32> "m") -> () {
  // expected-error@below {{weight must have rank 4 (NCHW), it has rank 2}}
  %0 = ax.conv %x, %m strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x4x8x8xf32>, tensor<3x5xf32>) -> tensor<1x6x6x6xf32>
  ax.return
}

// -----

// expected-error@below {{'ax.return' op}}
ax.return

// -----

// tables

ax.graph @main(%x: tensor<1xf32> "x") -> () {
  // expected-error@below {{the function must be one table function with its four constants}}
  %0 = ax.table %x function <sigmoid> : tensor<1xf32> -> tensor<1xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1xf32> "x") -> () {
  // expected-error@below {{the function must be one table function with its four constants}}
  %0 = ax.table %x function <tanh(1.0, 0.0, 2.0, 0.0), relu> : tensor<1xf32> -> tensor<1xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1xf32> "x") -> () {
  // expected-error@below {{epilogue step 'silu' takes 0 or 4 constants, 2 given}}
  %0 = ax.table %x function <silu(1.0, 2.0)> : tensor<1xf32> -> tensor<1xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1xf32> "x") -> () {
  // expected-error@below {{the constants of tanh(0.0, 0.0, 1.0, 0.0) are out of range}}
  %0 = ax.table %x function <tanh(0.0, 0.0, 1.0, 0.0)> : tensor<1xf32> -> tensor<1xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1xf32> "x") -> () {
  // expected-error@below {{out of range: the first is from 2**-60 to 2**60 in magnitude, the others are at most 2**60}}
  %0 = ax.table %x function <tanh(1.0, 0.0, 1.0, 1.0e30)> : tensor<1xf32> -> tensor<1xf32>
  ax.return
}

// -----

ax.graph @main(%x: tensor<1x1x2x2xf32> "x") -> ("y") {
  // expected-error@below {{means must be a constant tensor, not 3 : i64}}
  %y = ax.relu %x {ax.stats = #ax.stats<0.0, 1.0, means 3 : i64>} : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32>
  ax.return %y : tensor<1x1x2x2xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{axes [2] do not fit rank 2}}
  %0 = ax.normalize %m axes [2] epsilon 0.0 : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return %0 : tensor<3x5xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{normalize needs an axis}}
  %0 = ax.normalize %m axes [] epsilon 0.0 : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return %0 : tensor<3x5xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{epsilon is -1.0, it must not be negative}}
  %0 = ax.normalize %m axes [1] epsilon -1.0 : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return %0 : tensor<3x5xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{unknown function 'relu7'}}
  %0 = ax.unary %m <relu7> : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return %0 : tensor<3x5xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{function 'elu' takes 1 parameters, 0 given}}
  %0 = ax.unary %m <elu> : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return %0 : tensor<3x5xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{indices must be some of 0 to 2}}
  %0 = ax.gather %m axis 0 indices [3] : tensor<3x5xf32> -> tensor<1x5xf32>
  ax.return %0 : tensor<1x5xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{indices must be some of 0 to 2}}
  %0 = ax.gather %m axis 0 indices [] : tensor<3x5xf32> -> tensor<0x5xf32>
  ax.return %0 : tensor<0x5xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{axis 2 is outside rank 2}}
  %0 = ax.gather %m axis 2 indices [0] : tensor<3x5xf32> -> tensor<1x5xf32>
  ax.return %0 : tensor<1x5xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{[3, 5] does not broadcast to [3, 1]}}
  %0 = ax.expand %m shape [3, 1] : tensor<3x5xf32> -> tensor<3x1xf32>
  ax.return %0 : tensor<3x1xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{pads 0 and 5 find too few elements on an axis of 5}}
  %0 = ax.pad %m pads [0, 0, 0, 5] value 0.0 mode reflect : tensor<3x5xf32> -> tensor<3x10xf32>
  ax.return %0 : tensor<3x10xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{pads -3 and 1 find too few elements on an axis of 3}}
  %0 = ax.pad %m pads [-3, 0, 1, 0] value 0.0 mode edge : tensor<3x5xf32> -> tensor<1x5xf32>
  ax.return %0 : tensor<1x5xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{resize needs one size and one scale for each of 2 axes}}
  %0 = ax.resize %m linear sizes [3] scales [1.0, 1.0] coordinates asymmetric : tensor<3x5xf32> -> tensor<3xf32>
  ax.return %0 : tensor<3xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{scales [1.0, 0.0] are not positive numbers}}
  %0 = ax.resize %m linear sizes [3, 5] scales [1.0, 0.0] coordinates asymmetric : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return %0 : tensor<3x5xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{the mode nearest, and no other, has a rounding}}
  %0 = ax.resize %m linear sizes [3, 5] scales [1.0, 1.0] coordinates asymmetric rounding ceil : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return %0 : tensor<3x5xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{the mode nearest, and no other, has a rounding}}
  %0 = ax.resize %m nearest sizes [3, 5] scales [1.0, 1.0] coordinates asymmetric : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return %0 : tensor<3x5xf32>
}

// -----

ax.graph @main(%m: tensor<3x5xf32> "m") -> ("y") {
  // expected-error@below {{must have rank 4}}
  %0 = ax.depth_to_space %m block 1 order dcr : tensor<3x5xf32> -> tensor<3x5xf32>
  ax.return %0 : tensor<3x5xf32>
}

// -----

ax.graph @main(%x: tensor<1x3x3x3xf32> "x") -> ("y") {
  // expected-error@below {{3 channels are no blocks of 2 x 2}}
  %0 = ax.depth_to_space %x block 2 order crd : tensor<1x3x3x3xf32> -> tensor<1x3x3x3xf32>
  ax.return %0 : tensor<1x3x3x3xf32>
}

// -----

ax.graph @main(%x: tensor<1x3x3x3xf32> "x") -> ("y") {
  // expected-error@below {{height and width of [1, 3, 3, 3] are no multiples of the block 2}}
  %0 = ax.space_to_depth %x block 2 order dcr : tensor<1x3x3x3xf32> -> tensor<1x3x3x3xf32>
  ax.return %0 : tensor<1x3x3x3xf32>
}

// -----

ax.graph @main(%x: tensor<1x3x3x3xf32> "x") -> ("y") {
  // expected-error@below {{no blocks of 0 x 0}}
  %0 = ax.depth_to_space %x block 0 order crd : tensor<1x3x3x3xf32> -> tensor<1x3x3x3xf32>
  ax.return %0 : tensor<1x3x3x3xf32>
}
