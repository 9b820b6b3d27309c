// RUN: ax-opt %s -p strip-locations --print-debuginfo | filecheck %s
// RUN: not ax-opt %s -p quantize 2>&1 | filecheck %s --check-prefix NAMED
// RUN: not ax-opt %s -p strip-locations,quantize 2>&1 | filecheck %s --check-prefix ERROR

// Every operation loses its name and place, nested ones too.
// CHECK-NOT: loc("
// CHECK: ax.conv
// CHECK-SAME: loc(unknown)
// CHECK: ax.return
// CHECK-SAME: loc(unknown)
// CHECK-NOT: loc("

// What fails later has no node to name.
// ERROR: {{^}}error: input 'x' has no calibration statistics
// NAMED: net.onnx:0:0: error: input 'x' has no calibration statistics
builtin.module {
  ax.graph @main(%x: tensor<1x1x4x4xf32> "x") -> ("y") {
    %w = ax.constant dense<1.0> : tensor<1x1x3x3xf32> : tensor<1x1x3x3xf32> loc("w"("net.onnx":0:0))
    %y = ax.conv %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 : (tensor<1x1x4x4xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x4x4xf32> loc(fused["conv"("net.onnx":0:0), "act"("net.onnx":1:0)])
    ax.return %y : tensor<1x1x4x4xf32> loc("net.onnx":2:0)
  } loc("net.onnx":0:0)
}
