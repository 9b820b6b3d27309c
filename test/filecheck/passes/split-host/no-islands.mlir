// RUN: ax-opt %s -p 'split-host{host-islands=false}' | filecheck %s

// What is in the middle stays in @main, which is then not what the device can run; what is at the end does not.
// CHECK:      ax.graph @main({{.*}}) -> ("c") {
// CHECK:        ax.onnx
// CHECK:      ax.graph @postamble([[C:%.*]]: tensor<1x2x4x4xf32> "c") -> ("y") {
// CHECK-NEXT:   ax.onnx "Erf"([[C]])
ax.graph @main(%x: tensor<1x2x4x4xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %s = ax.onnx "Erf"(%a) opset 17 present [1] with {} : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  %c = ax.conv %s, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x4x4xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x4x4xf32>
  %y = ax.onnx "Erf"(%c) opset 17 present [1] with {} : (tensor<1x2x4x4xf32>) -> tensor<1x2x4x4xf32>
  ax.return %y : tensor<1x2x4x4xf32>
}
