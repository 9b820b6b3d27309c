// RUN: ax-opt %s -p split-host --split-input-file | filecheck %s

// A leading transpose is the host's, and so is what comes after the convolution; values are named after the nodes.
// CHECK:      ax.graph @preamble([[X:%.*]]: tensor<1x3x3x2xf32> "image") -> ("to_nchw") {
// CHECK-NEXT:   [[T:%.*]] = ax.transpose [[X]] perm [0, 3, 1, 2]
// CHECK-NEXT:   ax.return [[T]]
// CHECK-NEXT: }
// CHECK-NEXT: ax.graph @main([[T:%.*]]: tensor<1x2x3x3xf32> "to_nchw") -> ("layer") {
// CHECK-NEXT:   [[W:%.*]] = ax.constant
// CHECK-NEXT:   [[V:%.*]] = ax.conv [[T]], [[W]]
// CHECK-NEXT:   ax.return [[V]]
// CHECK-NEXT: }
// CHECK-NEXT: ax.graph @postamble([[V:%.*]]: tensor<1x4x1x1xf32> "layer") -> ("classes") {
// CHECK-NEXT:   [[R:%.*]] = ax.reshape [[V]] shape [1, 4]
// CHECK-NEXT:   [[S:%.*]] = ax.onnx "Erf"([[R]])
// CHECK-NEXT:   ax.return [[S]]
// CHECK-NEXT: }
ax.graph @main(%x: tensor<1x3x3x2xf32> "image") -> ("classes") {
  %w = ax.constant dense<1.0> : tensor<4x2x3x3xf32> : tensor<4x2x3x3xf32>
  %t = ax.transpose %x perm [0, 3, 1, 2] : tensor<1x3x3x2xf32> -> tensor<1x2x3x3xf32> loc("to_nchw"("net.onnx":0:0))
  %v = ax.conv %t, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x3x3xf32>, tensor<4x2x3x3xf32>) -> tensor<1x4x1x1xf32> loc("layer"("net.onnx":1:0))
  %r = ax.reshape %v shape [1, 4] : tensor<1x4x1x1xf32> -> tensor<1x4xf32> loc("flatten"("net.onnx":2:0))
  %s = ax.onnx "Erf"(%r) opset 17 present [1] with {} : (tensor<1x4xf32>) -> tensor<1x4xf32> loc("last"("net.onnx":3:0))
  ax.return %s : tensor<1x4xf32>
}

// -----

// Nothing for the host: the outputs keep their names, and there is one graph.
// CHECK:      builtin.module {
// CHECK-NEXT: ax.graph @main(%x: tensor<1x1x3x3xf32> "image") -> ("y", "z") attributes {kept} {
// CHECK-NEXT:   [[R:%.*]] = ax.relu %x
// CHECK-NEXT:   [[M:%.*]] = ax.max_pool [[R]]
// CHECK-NEXT:   ax.return [[M]], [[R]]
// CHECK-NEXT: }
// CHECK-NEXT: }
ax.graph @main(%x: tensor<1x1x3x3xf32> "image") -> ("y", "z") attributes {kept} {
  %r = ax.relu %x : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %m = ax.max_pool %r kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x1x3x3xf32> -> tensor<1x1x2x2xf32>
  ax.return %m, %r : tensor<1x1x2x2xf32>, tensor<1x1x3x3xf32>
}

// -----

// What depends on the host's part is the host's, even where the device could run it. An output of the device that the
// network returns as well passes through; its name is the output's only at the end.
// CHECK:      ax.graph @main([[X:%.*]]: tensor<1x2x3x3xf32> "image") -> ("features") {
// CHECK:        [[V:%.*]] = ax.conv [[X]],
// CHECK-NEXT:   ax.return [[V]]
// CHECK-NEXT: }
// CHECK-NEXT: ax.graph @postamble([[V:%.*]]: tensor<1x2x3x3xf32> "features") -> ("scores", "map") {
// CHECK-NEXT:   [[S:%.*]] = ax.onnx "Erf"([[V]])
// CHECK-NEXT:   [[R:%.*]] = ax.relu [[S]]
// CHECK-NEXT:   [[A:%.*]] = ax.add [[R]], [[V]]
// CHECK-NEXT:   ax.return [[A]], [[V]]
ax.graph @main(%x: tensor<1x2x3x3xf32> "image") -> ("scores", "map") {
  %w = ax.constant dense<1.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32> loc("features"("net.onnx":0:0))
  %s = ax.onnx "Erf"(%v) opset 17 present [1] with {} : (tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %r = ax.relu %s : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %a = ax.add %r, %v : (tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  ax.return %a, %v : tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>
}

// -----

// Work on the network's input that only the host uses is not the device's: @postamble reads the input itself.
// So is what the device could do but shares with nothing else there.
// CHECK-NOT:  @preamble
// CHECK:      ax.graph @main([[X:%.*]]: tensor<1x1x2x2xf32> "image") -> ("v") {
// CHECK:      ax.graph @postamble([[X:%.*]]: tensor<1x1x2x2xf32> "image", [[V:%.*]]: tensor<1x4x2x2xf32> "v") -> ("y", "z") {
// CHECK-NEXT:   ax.constant
// CHECK-NEXT:   [[U:%.*]] = ax.onnx "Resize"([[X]]
// CHECK-NEXT:   [[D:%.*]] = ax.onnx "DepthToSpace"([[V]])
// CHECK-NEXT:   [[A:%.*]] = ax.add [[D]], [[U]]
// CHECK-NEXT:   [[R:%.*]] = ax.relu [[X]]
// CHECK-NEXT:   [[F:%.*]] = ax.reshape [[R]] shape [4]
// CHECK-NEXT:   ax.return [[A]], [[F]]
ax.graph @main(%x: tensor<1x1x2x2xf32> "image") -> ("y", "z") {
  %w = ax.constant dense<1.0> : tensor<4x1x1x1xf32> : tensor<4x1x1x1xf32>
  %twice = ax.constant dense<[1.0, 1.0, 2.0, 2.0]> : tensor<4xf32> : tensor<4xf32>
  %u = ax.onnx "Resize"(%x, %twice) opset 17 present [1, 0, 1] with {mode = "linear"} : (tensor<1x1x2x2xf32>, tensor<4xf32>) -> tensor<1x1x4x4xf32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x2x2xf32>, tensor<4x1x1x1xf32>) -> tensor<1x4x2x2xf32>
  %d = ax.onnx "DepthToSpace"(%v) opset 17 present [1] with {blocksize = 2 : i64} : (tensor<1x4x2x2xf32>) -> tensor<1x1x4x4xf32>
  %a = ax.add %d, %u : (tensor<1x1x4x4xf32>, tensor<1x1x4x4xf32>) -> tensor<1x1x4x4xf32>
  %r = ax.relu %x : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32>
  %f = ax.reshape %r shape [4] : tensor<1x1x2x2xf32> -> tensor<4xf32>
  ax.return %a, %f : tensor<1x1x4x4xf32>, tensor<4xf32>
}

// -----

// Work that shares nothing with the rest but is an output of the network stays on the device.
// CHECK:      ax.graph @main(%x: tensor<1x1x2x2xf32> "image") -> ("v", "r") {
// CHECK-NEXT:   ax.constant
// CHECK-NEXT:   [[V:%.*]] = ax.conv
// CHECK-NEXT:   [[R:%.*]] = ax.relu %x
// CHECK-NEXT:   ax.return [[V]], [[R]]
// CHECK:      ax.graph @postamble([[V:%.*]]: tensor<1x4x2x2xf32> "v", [[R:%.*]]: tensor<1x1x2x2xf32> "r") -> ("y", "z") {
ax.graph @main(%x: tensor<1x1x2x2xf32> "image") -> ("y", "z") {
  %w = ax.constant dense<1.0> : tensor<4x1x1x1xf32> : tensor<4x1x1x1xf32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x2x2xf32>, tensor<4x1x1x1xf32>) -> tensor<1x4x2x2xf32>
  %f = ax.reshape %v shape [16] : tensor<1x4x2x2xf32> -> tensor<16xf32>
  %r = ax.relu %x : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32>
  ax.return %f, %r : tensor<16xf32>, tensor<1x1x2x2xf32>
}

// -----

// Names are made unique among all that pass between the graphs; an input or constant that is returned needs the host.
// CHECK:      ax.graph @preamble([[X:%.*]]: tensor<4xf32> "x") -> ("x_1") {
// CHECK:      ax.graph @main([[R:%.*]]: tensor<1x1x2x2xf32> "x_1") -> ("y_1") {
// CHECK:      ax.graph @postamble([[X:%.*]]: tensor<4xf32> "x", [[Y:%.*]]: tensor<1x1x2x2xf32> "y_1") -> ("y", "same", "c") {
// CHECK-NEXT:   [[C:%.*]] = ax.constant dense<7.000000e+00>
// CHECK-NEXT:   ax.return [[Y]], [[X]], [[C]]
ax.graph @main(%x: tensor<4xf32> "x") -> ("y", "same", "c") {
  %c = ax.constant dense<7.0> : tensor<2xf32> : tensor<2xf32>
  %r = ax.reshape %x shape [1, 1, 2, 2] : tensor<4xf32> -> tensor<1x1x2x2xf32> loc("x"("net.onnx":0:0))
  %y = ax.relu %r : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32> loc("y"("net.onnx":1:0))
  ax.return %y, %x, %c : tensor<1x1x2x2xf32>, tensor<4xf32>, tensor<2xf32>
}

// -----

// Little work before an operator that the device cannot run goes to the host with it: here the scale of the input.
// CHECK:      ax.graph @preamble([[X:%.*]]: tensor<1x1x8x8xf32> "image") -> ("t") {
// CHECK:        [[S:%.*]] = ax.conv [[X]], {{.*}} group 1
// CHECK-NEXT:   [[T:%.*]] = ax.slice [[S]]
// CHECK-NEXT:   ax.return [[T]]
// CHECK-NEXT: }
// CHECK-NEXT: ax.graph @main([[T:%.*]]: tensor<1x1x4x4xf32> "t") -> ("y") {
ax.graph @main(%x: tensor<1x1x8x8xf32> "image") -> ("y") {
  %s = ax.constant dense<0.5> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %w = ax.constant dense<1.0> : tensor<32x1x3x3xf32> : tensor<32x1x3x3xf32>
  %a = ax.conv %x, %s strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x8x8xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x8x8xf32>
  %t = ax.slice %a starts [0, 0, 0, 0] ends [1, 1, 8, 8] steps [1, 1, 2, 2] : tensor<1x1x8x8xf32> -> tensor<1x1x4x4xf32>
  %y = ax.conv %t, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 : (tensor<1x1x4x4xf32>, tensor<32x1x3x3xf32>) -> tensor<1x32x4x4xf32>
  ax.return %y : tensor<1x32x4x4xf32>
}

// -----

// A module that is split already stays as it is.
// CHECK:      ax.graph @main
// CHECK-NEXT:   ax.relu
// CHECK:      ax.graph @postamble
// CHECK-NEXT:   ax.relu
ax.graph @main(%x: tensor<1x1x2x2xf32> "x") -> ("y") {
  %y = ax.relu %x : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32>
  ax.return %y : tensor<1x1x2x2xf32>
}
ax.graph @postamble(%y: tensor<1x1x2x2xf32> "y") -> ("z") {
  %z = ax.relu %y : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32>
  ax.return %z : tensor<1x1x2x2xf32>
}

// -----

// A concatenation at the end is the host's, and its parts are outputs of the device; one in the middle is not.
// CHECK:      ax.graph @main
// CHECK:        ax.concat
// CHECK:        ax.return %{{.*}}, %{{.*}} : tensor<1x4x3x3xf32>, tensor<1x4x3x3xf32>
// CHECK:      ax.graph @postamble
// CHECK-NEXT:   [[C:%.*]] = ax.concat
// CHECK-NEXT:   ax.return [[C]]
ax.graph @main(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<4x4x1x1xf32> : tensor<4x4x1x1xf32>
  %r = ax.relu %x : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %b = ax.concat %x, %r axis 1 : (tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>) -> tensor<1x4x3x3xf32>
  %a = ax.conv %b, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x4x3x3xf32>, tensor<4x4x1x1xf32>) -> tensor<1x4x3x3xf32>
  %s = ax.sigmoid %a : tensor<1x4x3x3xf32> -> tensor<1x4x3x3xf32>
  %c = ax.concat %a, %s axis 1 : (tensor<1x4x3x3xf32>, tensor<1x4x3x3xf32>) -> tensor<1x8x3x3xf32>
  ax.return %c : tensor<1x8x3x3xf32>
}

// -----

// Where there is nothing else, it stays.
// CHECK:      ax.graph @main
// CHECK-NEXT:   ax.concat
// CHECK-NOT:  @postamble
ax.graph @main(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %c = ax.concat %x, %x axis 1 : (tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>) -> tensor<1x4x3x3xf32>
  ax.return %c : tensor<1x4x3x3xf32>
}
