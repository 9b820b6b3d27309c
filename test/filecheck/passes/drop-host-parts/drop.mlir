// RUN: ax-opt %s -p 'drop-host-parts{graph-cleaner-split-pre-post-processing=false}' | filecheck %s
// RUN: ax-opt %s -p drop-host-parts | filecheck %s --check-prefix=KEPT

// CHECK:      builtin.module {
// CHECK-NEXT:   ax.graph @main(%m: tensor<1x1x2x2xf32> "m") -> ("s") {
// CHECK-NEXT:     ax.sigmoid
// CHECK-NEXT:     ax.return
// CHECK-NEXT:   }
// CHECK-NEXT: }

// KEPT: @preamble
// KEPT: @main
// KEPT: @postamble
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
