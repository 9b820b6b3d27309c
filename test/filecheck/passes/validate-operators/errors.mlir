// RUN: not ax-opt %s -p 'split-host{host-islands=false},validate-operators' --split-input-file 2>&1 | filecheck %s

// Half of the work before, half after: neither goes to the host. Every operator is named, what to do once.
// CHECK:      net.onnx:1:0: error: [attention] the device cannot run Cosh in the middle of the network: it has no such operator
// CHECK-NEXT: note: 33% of the multiply-accumulates come before it and 33% after it; the host takes over only where one side has at most 5%
// CHECK-NEXT: net.onnx:2:0: error: [again] the device cannot run Cosh in the middle of the network: it has no such operator
// CHECK-NEXT: note: 33% of the multiply-accumulates come before it and 33% after it
// CHECK-NEXT: net.onnx:4:0: error: [weird] the device cannot run Cosh in the middle of the network: it has no such operator
// CHECK-NEXT: note: 33% of the multiply-accumulates come before it and 33% after it
// CHECK-NEXT: note: replace these operators in the model, or cut the model in two there
ax.graph @main(%x: tensor<1x2x4x4xf32> "x") -> ("y", "z") {
  %w = ax.constant dense<1.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %s = ax.onnx "Cosh"(%a) opset 17 present [1] with {} : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> loc("attention"("net.onnx":1:0))
  %t = ax.onnx "Cosh"(%s) opset 17 present [1] with {} : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> loc("again"("net.onnx":2:0))
  %y = ax.conv %t, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %u = ax.onnx "Cosh"(%a) opset 17 present [1] with {} : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> loc("weird"("net.onnx":4:0))
  %z = ax.conv %u, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  ax.return %y, %z : tensor<1x2x4x4xf32>, tensor<1x2x4x4xf32>
}

// -----

// The front end's reason is better than none.
// CHECK:      net.onnx:0:0: error: [deep] the device cannot run Conv in the middle of the network: a window over 3 axes
ax.graph @main(%x: tensor<1x2x4x4xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %u = ax.onnx "Conv"(%a) opset 17 present [1] with {} {reason = "a window over 3 axes"} : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32> loc("deep"("net.onnx":0:0))
  %y = ax.conv %u, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  ax.return %y : tensor<1x2x4x4xf32>
}
