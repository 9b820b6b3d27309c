// RUN: ax-opt %s -p 'force-split{graph-cleaner-condition=maximum_weight_tensor_size graph-cleaner-node=MatMul graph-cleaner-threshold=12}' | filecheck %s
// RUN: ax-opt %s -p 'force-split{graph-cleaner-condition=maximum_weight_tensor_size graph-cleaner-node=MatMul graph-cleaner-threshold=24}' | filecheck %s --check-prefix=NONE
// RUN: ax-opt %s -p force-split | filecheck %s --check-prefix=NONE
// RUN: ax-opt %s -p 'force-split{graph-cleaner-condition=maximum_weight_tensor_size graph-cleaner-node=Gemm}' | filecheck %s --check-prefix=NONE

// The first product has 12 weights, which do not exceed 12, the second 24. An output of the device's part passes through.
// CHECK:      ax.graph @main(%x: tensor<1x4xf32> "x") -> ("z_node") {
// CHECK:        [[A:%.*]] = ax.matmul %x
// CHECK-NEXT:   [[Z:%.*]] = ax.relu [[A]]
// CHECK-NEXT:   ax.return [[Z]]
// CHECK:      ax.graph @postamble([[Z:%.*]]: tensor<1x3xf32> "z_node") -> ("y", "z") {
// CHECK:        [[B:%.*]] = ax.matmul [[Z]]
// CHECK-NEXT:   [[Y:%.*]] = ax.relu [[B]]
// CHECK-NEXT:   ax.return [[Y]], [[Z]]

// NONE:     ax.graph @main(%x: tensor<1x4xf32> "x") -> ("y", "z") {
// NONE-NOT: ax.graph
ax.graph @main(%x: tensor<1x4xf32> "x") -> ("y", "z") {
  %narrow = ax.constant dense<1.0> : tensor<4x3xf32> : tensor<4x3xf32>
  %wide = ax.constant dense<1.0> : tensor<3x8xf32> : tensor<3x8xf32>
  %a = ax.matmul %x, %narrow : (tensor<1x4xf32>, tensor<4x3xf32>) -> tensor<1x3xf32> loc("a"("net.onnx":0:0))
  %z = ax.relu %a : tensor<1x3xf32> -> tensor<1x3xf32> loc("z_node"("net.onnx":1:0))
  %b = ax.matmul %z, %wide : (tensor<1x3xf32>, tensor<3x8xf32>) -> tensor<1x8xf32> loc("b"("net.onnx":2:0))
  %y = ax.relu %b : tensor<1x8xf32> -> tensor<1x8xf32> loc("y_node"("net.onnx":3:0))
  ax.return %y, %z : tensor<1x8xf32>, tensor<1x3xf32>
}
