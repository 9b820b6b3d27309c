// RUN: ax-opt %s -p 'force-split{graph-cleaner-condition=maximum_weight_tensor_size graph-cleaner-node=Clip}' | filecheck %s
// RUN: ax-opt %s -p 'force-split{graph-cleaner-condition=maximum_weight_tensor_size graph-cleaner-node=Clip graph-cleaner-threshold=1}' | filecheck %s --check-prefix=NONE

// A clip has one element. What does not depend on it stays.
// CHECK:      ax.graph @main(%x: tensor<1x1x2x2xf32> "x") -> ("s", "t") {
// CHECK-NEXT:   [[S:%.*]] = ax.sigmoid
// CHECK-NEXT:   [[T:%.*]] = ax.tanh
// CHECK-NEXT:   ax.return [[S]], [[T]]
// CHECK:      ax.graph @postamble([[S:%.*]]: tensor<1x1x2x2xf32> "s", [[T:%.*]]: tensor<1x1x2x2xf32> "t") -> ("y") {
// CHECK-NEXT:   [[C:%.*]] = ax.clip [[S]]
// CHECK-NEXT:   ax.add [[C]], [[T]]

// NONE-NOT: @postamble
ax.graph @main(%x: tensor<1x1x2x2xf32> "x") -> ("y") {
  %s = ax.sigmoid %x : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32> loc("s"("net.onnx":0:0))
  %c = ax.clip %s min 0.0 max 0.5 : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32>
  %t = ax.tanh %x : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32> loc("t"("net.onnx":2:0))
  %y = ax.add %c, %t : (tensor<1x1x2x2xf32>, tensor<1x1x2x2xf32>) -> tensor<1x1x2x2xf32>
  ax.return %y : tensor<1x1x2x2xf32>
}
