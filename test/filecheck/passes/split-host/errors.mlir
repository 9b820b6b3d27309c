// RUN: not ax-opt %s -p split-host 2>&1 | filecheck %s

// CHECK:      error: the device can run no operator of this network
// CHECK-NEXT: note: Cosh [probabilities]: it has no such operator
// CHECK-NOT:  error
ax.graph @main(%x: tensor<1x2xf32> "x") -> ("y") {
  %y = ax.onnx "Cosh"(%x) opset 17 present [1] with {} : (tensor<1x2xf32>) -> tensor<1x2xf32> loc("probabilities"("net.onnx":0:0))
  ax.return %y : tensor<1x2xf32>
}
