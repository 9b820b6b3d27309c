// RUN: ax-opt %s -p 'remove-layout-transform{remove-layout-transform-from-preamble=true}' --split-input-file | filecheck %s
// RUN: ax-opt %s -p remove-layout-transform --split-input-file | filecheck %s --check-prefix=OFF

// CHECK:      builtin.module attributes {ax.nhwc_inputs = ["x"]} {
// CHECK-NEXT:   ax.graph @main({{%.*}}: tensor<1x1x2x2xf32> "x") -> ("s") {
// CHECK:        ax.graph @postamble

// OFF: ax.graph @preamble
ax.graph @preamble(%x: tensor<1x2x2x1xf32> "x") -> ("m") {
  %m = ax.transpose %x perm [0, 3, 1, 2] : tensor<1x2x2x1xf32> -> tensor<1x1x2x2xf32>
  ax.return %m : tensor<1x1x2x2xf32>
}
ax.graph @main(%m: tensor<1x1x2x2xf32> "m") -> ("s") {
  %s = ax.sigmoid %m : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32>
  ax.return %s : tensor<1x1x2x2xf32>
}
ax.graph @postamble(%s: tensor<1x1x2x2xf32> "s") -> ("y") {
  %y = ax.onnx "Cosh"(%s) opset 17 present [1] with {} : (tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  ax.return %y : tensor<1x1x2x2xf32>
}

// -----

// A reshape moves nothing but axes where there is one channel, or one pixel. The rest of the preamble stays.
// CHECK:      builtin.module attributes {ax.nhwc_inputs = ["gray", "vector"]} {
// CHECK-NEXT:   ax.graph @preamble({{%.*}}: tensor<4xf32> "other") -> ("o") {
// CHECK-NEXT:     [[O:%.*]] = ax.reshape
// CHECK-NEXT:     ax.return [[O]]
// CHECK:        ax.graph @main({{%.*}}: tensor<1x1x2x2xf32> "gray", {{%.*}}: tensor<1x8x1x1xf32> "vector", {{%.*}}: tensor<1x1x2x2xf32> "o") -> ("y", "z") {
ax.graph @preamble(%g: tensor<1x2x2x1xf32> "gray", %v: tensor<1x1x1x8xf32> "vector", %t: tensor<4xf32> "other") -> ("g", "v", "o") {
  %g_nchw = ax.reshape %g shape [1, 1, 2, 2] : tensor<1x2x2x1xf32> -> tensor<1x1x2x2xf32>
  %v_nchw = ax.reshape %v shape [1, 8, 1, 1] : tensor<1x1x1x8xf32> -> tensor<1x8x1x1xf32>
  %o = ax.reshape %t shape [1, 1, 2, 2] : tensor<4xf32> -> tensor<1x1x2x2xf32>
  ax.return %g_nchw, %v_nchw, %o : tensor<1x1x2x2xf32>, tensor<1x8x1x1xf32>, tensor<1x1x2x2xf32>
}
ax.graph @main(%g: tensor<1x1x2x2xf32> "g", %v: tensor<1x8x1x1xf32> "v", %o: tensor<1x1x2x2xf32> "o") -> ("y", "z") {
  %y = ax.add %g, %o : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  %z = ax.relu %v : tensor<1x8x1x1xf32> -> tensor<1x8x1x1xf32>
  ax.return %y, %z : tensor<1x1x2x2xf32>, tensor<1x8x1x1xf32>
}

// -----

// These stay: a transpose of other axes, a reshape that is none of layout, and inputs or results that are used twice.
// CHECK:      builtin.module {
// CHECK-NEXT:   ax.graph @preamble({{%.*}} "a", {{%.*}} "b", {{%.*}} "c", {{%.*}} "d") -> ("at", "bt", "ct", "c2", "dt") {
ax.graph @preamble(%a: tensor<1x2x2x2xf32> "a", %b: tensor<1x1x2x4xf32> "b", %c: tensor<1x2x2x2xf32> "c", %d: tensor<1x2x2x2xf32> "d") -> ("at", "bt", "ct", "c2", "dt") {
  %at = ax.transpose %a perm [0, 2, 1, 3] : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %bt = ax.reshape %b shape [1, 2, 2, 2] : tensor<1x1x2x4xf32> -> tensor<1x2x2x2xf32>
  %ct = ax.transpose %c perm [0, 3, 1, 2] : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %c2 = ax.onnx "Cosh"(%c) opset 17 present [1] with {} : (tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %dt = ax.transpose %d perm [0, 3, 1, 2] : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  ax.return %at, %bt, %ct, %c2, %dt : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}
ax.graph @main(%a: tensor<1x2x2x2xf32> "at", %b: tensor<1x2x2x2xf32> "bt", %c: tensor<1x2x2x2xf32> "ct", %c2: tensor<1x2x2x2xf32> "c2", %d: tensor<1x2x2x2xf32> "dt") -> ("s") {
  %ab = ax.add %a, %b : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %cc = ax.add %c, %c2 : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %abc = ax.add %ab, %cc : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %s = ax.add %abc, %d : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  ax.return %s : tensor<1x2x2x2xf32>
}
ax.graph @postamble(%s: tensor<1x2x2x2xf32> "s", %d: tensor<1x2x2x2xf32> "dt") -> ("y") {
  %y = ax.add %s, %d : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  ax.return %y : tensor<1x2x2x2xf32>
}
