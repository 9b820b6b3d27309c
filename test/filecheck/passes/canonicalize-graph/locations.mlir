// RUN: ax-opt %s -p canonicalize-graph --print-debuginfo | filecheck %s

// A folded operator is named in the location of the convolution that absorbed it, after the convolution's own name.
// CHECK: ax.conv {{.*}} loc(fused["Conv_0"("net.onnx":0:0), "BatchNorm_1"("net.onnx":1:0), "Mul_2"("net.onnx":2:0)])
// CHECK: ax.hard_swish {{.*}} loc("Div_6"("net.onnx":6:0))

ax.graph @main(%x: tensor<1x1x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<2.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %p = ax.constant dense<2.0> : tensor<1xf32> : tensor<1xf32>
  %three = ax.constant dense<3.0> : tensor<f32> : tensor<f32>
  %six = ax.constant dense<6.0> : tensor<f32> : tensor<f32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32> loc("Conv_0"("net.onnx":0:0))
  %a = ax.batch_norm %v scale %p bias %p mean %p variance %p epsilon 0.0 : (tensor<1x1x3x3xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x3x3xf32> loc("BatchNorm_1"("net.onnx":1:0))
  %b = ax.mul %a, %three : (tensor<1x1x3x3xf32>, tensor<f32>) -> tensor<1x1x3x3xf32> loc("Mul_2"("net.onnx":2:0))
  %c = ax.add %b, %three : (tensor<1x1x3x3xf32>, tensor<f32>) -> tensor<1x1x3x3xf32> loc("Add_3"("net.onnx":3:0))
  %d = ax.clip %c min 0.0 max 6.0 : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32> loc("Clip_4"("net.onnx":4:0))
  %e = ax.mul %b, %d : (tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32> loc("Mul_5"("net.onnx":5:0))
  %f = ax.div %e, %six : (tensor<1x1x3x3xf32>, tensor<f32>) -> tensor<1x1x3x3xf32> loc("Div_6"("net.onnx":6:0))
  ax.return %f : tensor<1x1x3x3xf32>
}
