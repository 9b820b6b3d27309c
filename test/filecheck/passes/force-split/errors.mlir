// RUN: not ax-opt %s -p 'force-split{graph-cleaner-condition=maximum_weight_tensor_size graph-cleaner-node=MatMul}' 2>&1 | filecheck %s
// RUN: not ax-opt %s -p 'force-split{graph-cleaner-node=Conv}' 2>&1 | filecheck %s --check-prefix=NODE

// CHECK:      net.onnx:0:0: error: [a] the forced split before this MatMul leaves nothing for the device
// CHECK-NEXT: note: raise graph_cleaner_threshold, so that a later node is the first to exceed it

// NODE: graph-cleaner-node
ax.graph @main(%x: tensor<1x4xf32> "x") -> ("y", "z") {
  %narrow = ax.constant dense<1.0> : tensor<4x3xf32> : tensor<4x3xf32>
  %wide = ax.constant dense<1.0> : tensor<3x8xf32> : tensor<3x8xf32>
  %a = ax.matmul %x, %narrow : (tensor<1x4xf32>, tensor<4x3xf32>) -> tensor<1x3xf32> loc("a"("net.onnx":0:0))
  %z = ax.relu %a : tensor<1x3xf32> -> tensor<1x3xf32> loc("z_node"("net.onnx":1:0))
  %b = ax.matmul %z, %wide : (tensor<1x3xf32>, tensor<3x8xf32>) -> tensor<1x8xf32> loc("b"("net.onnx":2:0))
  %y = ax.relu %b : tensor<1x8xf32> -> tensor<1x8xf32> loc("y_node"("net.onnx":3:0))
  ax.return %y, %z : tensor<1x8xf32>, tensor<1x3xf32>
}
