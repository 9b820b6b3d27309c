// RUN: not ax-opt %s -p 'validate-operators{run-graph-cleaner=true}' 2>&1 | filecheck %s
// RUN: not ax-opt %s -p 'validate-operators{run-graph-cleaner=false}' 2>&1 | filecheck %s --check-prefix=ALONE
// RUN: ax-opt %s -p 'validate-operators{validate-operators=false}' | filecheck %s --check-prefix=OFF

// Work of the host's parts counts: 2 of 50 multiply-accumulates come before, 16 after, 32 are beside the operator.
// CHECK:      net.onnx:9:0: error: [late] the device cannot run Cosh: it has no such operator
// CHECK-NEXT: note: 4% of the multiply-accumulates come before it and 32% after it
// CHECK-NEXT: error: output 'again' is an input or a constant: the device gives only what it computes
// CHECK-NEXT: note: replace these operators in the model, or cut the model in two there

// Where nothing goes to the host, the share that would is beside the point.
// ALONE:      net.onnx:9:0: error: [late] the device cannot run Cosh: it has no such operator
// ALONE-NEXT: note: 4% of the multiply-accumulates come before it and 32% after it{{$}}
// ALONE:      note: run_graph_cleaner is false: nothing goes to the host

// OFF: ax.onnx
ax.graph @preamble(%x: tensor<1x1x1x2xf32> "image") -> ("m") {
  %w = ax.constant dense<1.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %m = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x1x2xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x1x2xf32>
  ax.return %m : tensor<1x1x1x2xf32>
}
ax.graph @main(%m: tensor<1x1x1x2xf32> "m") -> ("s", "c", "again") {
  %w = ax.constant dense<1.0> : tensor<16x1x1x1xf32> : tensor<16x1x1x1xf32>
  %s = ax.onnx "Cosh"(%m) opset 17 present [1] with {} : (tensor<1x1x1x2xf32>) -> tensor<1x1x1x2xf32> loc("late"("net.onnx":9:0))
  %c = ax.conv %m, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x1x2xf32>, tensor<16x1x1x1xf32>) -> tensor<1x16x1x2xf32>
  ax.return %s, %c, %m : tensor<1x1x1x2xf32>, tensor<1x16x1x2xf32>, tensor<1x1x1x2xf32>
}
ax.graph @postamble(%s: tensor<1x1x1x2xf32> "s", %c: tensor<1x16x1x2xf32> "c") -> ("y", "c_out") {
  %w = ax.constant dense<1.0> : tensor<8x1x1x1xf32> : tensor<8x1x1x1xf32>
  %y = ax.conv %s, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x1x2xf32>, tensor<8x1x1x1xf32>) -> tensor<1x8x1x2xf32>
  ax.return %y, %c : tensor<1x8x1x2xf32>, tensor<1x16x1x2xf32>
}
