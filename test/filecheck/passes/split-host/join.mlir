// RUN: ax-opt %s -p split-host | filecheck %s
// RUN: ax-opt %s -p 'split-host{run-graph-cleaner=false}' | filecheck %s --check-prefix=OFF

// Host parts that are there already get what is added on the side of the device. Names stay unique among all graphs:
// the value after the node "y" is not called "y", which the network's output is.
// CHECK:      ax.graph @preamble([[I:%.*]]: tensor<4xf32> "image") -> ("t", "y_1") {
// CHECK-NEXT:   [[T:%.*]] = ax.relu [[I]]
// CHECK-NEXT:   [[R:%.*]] = ax.reshape [[T]] shape [1, 1, 2, 2]
// CHECK-NEXT:   ax.return [[T]], [[R]]
// CHECK:      ax.graph @main([[R:%.*]]: tensor<1x1x2x2xf32> "y_1") -> ("c") {
// CHECK-NEXT:   ax.sigmoid [[R]]
// CHECK:      ax.graph @postamble([[C:%.*]]: tensor<1x1x2x2xf32> "c", [[T:%.*]]: tensor<4xf32> "t") -> ("y") {
// CHECK-NEXT:   [[F:%.*]] = ax.reshape [[C]] shape [4]
// CHECK-NEXT:   [[Y:%.*]] = ax.add [[F]], [[T]]
// CHECK-NEXT:   ax.return [[Y]]

// OFF:      ax.graph @main([[T:%.*]]: tensor<4xf32> "t") -> ("flat") {
// OFF-NEXT:   ax.reshape [[T]] shape [1, 1, 2, 2]
ax.graph @preamble(%i: tensor<4xf32> "image") -> ("t") {
  %t = ax.relu %i : tensor<4xf32> -> tensor<4xf32>
  ax.return %t : tensor<4xf32>
}
ax.graph @main(%t: tensor<4xf32> "t") -> ("flat") {
  %r = ax.reshape %t shape [1, 1, 2, 2] : tensor<4xf32> -> tensor<1x1x2x2xf32> loc("y"("net.onnx":1:0))
  %c = ax.sigmoid %r : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32> loc("c"("net.onnx":2:0))
  %f = ax.reshape %c shape [4] : tensor<1x1x2x2xf32> -> tensor<4xf32> loc("f"("net.onnx":3:0))
  ax.return %f : tensor<4xf32>
}
ax.graph @postamble(%f: tensor<4xf32> "flat", %t: tensor<4xf32> "t") -> ("y") {
  %y = ax.add %f, %t : (tensor<4xf32>, tensor<4xf32>) -> tensor<4xf32>
  ax.return %y : tensor<4xf32>
}
