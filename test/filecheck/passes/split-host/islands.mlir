// RUN: ax-opt %s -p split-host --split-input-file | filecheck %s

// What the device cannot do in the middle is an island between two segments; a residual goes around it, straight from
// one segment to the other.
// CHECK:      ax.graph @main([[X:%.*]]: tensor<1x64x48x48xf32> "x") -> ("first") {
// CHECK:        [[A:%.*]] = ax.conv [[X]],
// CHECK-NEXT:   ax.return [[A]]
// CHECK-NEXT: }
// CHECK-NEXT: ax.graph @island1([[A:%.*]]: tensor<1x64x48x48xf32> "first") -> ("cosine") {
// CHECK-NEXT:   [[S:%.*]] = ax.onnx "Cos"([[A]])
// CHECK-NEXT:   ax.return [[S]]
// CHECK-NEXT: }
// CHECK-NEXT: ax.graph @main1([[S:%.*]]: tensor<1x64x48x48xf32> "cosine", [[A:%.*]]: tensor<1x64x48x48xf32> "first") -> ("y") {
// CHECK:        [[B:%.*]] = ax.conv [[S]],
// CHECK-NEXT:   [[Y:%.*]] = ax.add [[B]], [[A]]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @main(%x: tensor<1x64x48x48xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<64x64x3x3xf32> : tensor<64x64x3x3xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 : (tensor<1x64x48x48xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x48x48xf32> loc("first"("net.onnx":0:0))
  %s = ax.onnx "Cos"(%a) opset 17 present [1] with {} : (tensor<1x64x48x48xf32>) -> tensor<1x64x48x48xf32> loc("cosine"("net.onnx":1:0))
  %b = ax.conv %s, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 : (tensor<1x64x48x48xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x48x48xf32>
  %y = ax.add %b, %a : (tensor<1x64x48x48xf32>, tensor<1x64x48x48xf32>) -> tensor<1x64x48x48xf32>
  ax.return %y : tensor<1x64x48x48xf32>
}

// -----

// A segment that is not worth its transfers and its launch is not made: the little convolution between the two joins
// them in one island, and what only the last island needs of the first segment's border goes with it.
// CHECK:      ax.graph @main(
// CHECK:      ax.graph @island1({{.*}} "first") -> ("again") {
// CHECK-NEXT:   ax.onnx "Cos"
// CHECK-NEXT:   ax.constant
// CHECK-NEXT:   ax.conv
// CHECK-NEXT:   ax.onnx "Cos"
// CHECK:      ax.graph @main1({{.*}} "again") -> ("y") {
// CHECK-NOT:  @main2
ax.graph @main(%x: tensor<1x64x48x48xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<64x64x3x3xf32> : tensor<64x64x3x3xf32>
  %u = ax.constant dense<1.0> : tensor<64x1x1x1xf32> : tensor<64x1x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 : (tensor<1x64x48x48xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x48x48xf32> loc("first"("net.onnx":0:0))
  %s = ax.onnx "Cos"(%a) opset 17 present [1] with {} : (tensor<1x64x48x48xf32>) -> tensor<1x64x48x48xf32> loc("cosine"("net.onnx":1:0))
  %b = ax.conv %s, %u strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 64 : (tensor<1x64x48x48xf32>, tensor<64x1x1x1xf32>) -> tensor<1x64x48x48xf32>
  %t = ax.onnx "Cos"(%b) opset 17 present [1] with {} : (tensor<1x64x48x48xf32>) -> tensor<1x64x48x48xf32> loc("again"("net.onnx":3:0))
  %y = ax.conv %t, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 : (tensor<1x64x48x48xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x48x48xf32>
  ax.return %y : tensor<1x64x48x48xf32>
}

// -----

// A branch that only the second segment uses is computed where its border is smallest: the convolution to 256 channels
// waits, the one to 1 channel does not.
// CHECK:      ax.graph @main({{.*}}) -> ("first", "narrow") {
// CHECK-NOT:    256x64
// CHECK:      ax.graph @island1(
// CHECK:      ax.graph @main1({{.*}} "x", {{.*}} "cosine", {{.*}} "narrow") -> ("y", "z", "n") {
// CHECK:        -> tensor<1x256x48x48xf32>
ax.graph @main(%x: tensor<1x64x48x48xf32> "x") -> ("y", "z", "n") {
  %w = ax.constant dense<1.0> : tensor<64x64x3x3xf32> : tensor<64x64x3x3xf32>
  %wide = ax.constant dense<1.0> : tensor<256x64x1x1xf32> : tensor<256x64x1x1xf32>
  %down = ax.constant dense<1.0> : tensor<64x256x1x1xf32> : tensor<64x256x1x1xf32>
  %one = ax.constant dense<1.0> : tensor<1x64x1x1xf32> : tensor<1x64x1x1xf32>
  %up = ax.constant dense<1.0> : tensor<64x1x1x1xf32> : tensor<64x1x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 : (tensor<1x64x48x48xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x48x48xf32> loc("first"("net.onnx":0:0))
  %n = ax.conv %a, %one strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x64x48x48xf32>, tensor<1x64x1x1xf32>) -> tensor<1x1x48x48xf32> loc("narrow"("net.onnx":1:0))
  %v = ax.conv %x, %wide strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x64x48x48xf32>, tensor<256x64x1x1xf32>) -> tensor<1x256x48x48xf32>
  %s = ax.onnx "Cos"(%a) opset 17 present [1] with {} : (tensor<1x64x48x48xf32>) -> tensor<1x64x48x48xf32> loc("cosine"("net.onnx":3:0))
  %b = ax.conv %s, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 : (tensor<1x64x48x48xf32>, tensor<64x64x3x3xf32>) -> tensor<1x64x48x48xf32>
  %d = ax.conv %v, %down strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x256x48x48xf32>, tensor<64x256x1x1xf32>) -> tensor<1x64x48x48xf32>
  %m = ax.conv %n, %up strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x48x48xf32>, tensor<64x1x1x1xf32>) -> tensor<1x64x48x48xf32>
  %y = ax.add %b, %d : (tensor<1x64x48x48xf32>, tensor<1x64x48x48xf32>) -> tensor<1x64x48x48xf32>
  %z = ax.add %y, %m : (tensor<1x64x48x48xf32>, tensor<1x64x48x48xf32>) -> tensor<1x64x48x48xf32>
  ax.return %y, %z, %b : tensor<1x64x48x48xf32>, tensor<1x64x48x48xf32>, tensor<1x64x48x48xf32>
}
