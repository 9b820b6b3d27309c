// RUN: ax-opt %s -p 'force-split{graph-cleaner-condition=maximum_weight_tensor_first_dimension_size graph-cleaner-node=Gemm graph-cleaner-threshold=4}' --split-input-file | filecheck %s

// Of a transposed Gemm the first dimension is the number of outputs, as the model has it: 2, then 5.
// CHECK:      ax.graph @main({{.*}}) -> ("a") {
// CHECK:      ax.graph @postamble([[A:%.*]]: tensor<1x2xf32> "a") -> ("y") {
ax.graph @main(%x: tensor<1x6xf32> "x") -> ("y") {
  %v = ax.constant dense<1.0> : tensor<2x6xf32> : tensor<2x6xf32>
  %w = ax.constant dense<1.0> : tensor<5x2xf32> : tensor<5x2xf32>
  %a = ax.gemm %x, %v alpha 1.0 beta 1.0 trans_a false trans_b true : (tensor<1x6xf32>, tensor<2x6xf32>) -> tensor<1x2xf32> loc("a"("net.onnx":0:0))
  %y = ax.gemm %a, %w alpha 1.0 beta 1.0 trans_a false trans_b true : (tensor<1x2xf32>, tensor<5x2xf32>) -> tensor<1x5xf32>
  ax.return %y : tensor<1x5xf32>
}

// -----

// So of a node that has no operator here. A product of two activations has no weights.
// CHECK:      ax.graph @main({{.*}}) -> ("a") {
// CHECK:      ax.graph @postamble([[A:%.*]]: tensor<6x6xf32> "a") -> ("y") {
ax.graph @main(%x: tensor<6x6xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<6x5xf32> : tensor<6x5xf32>
  %a = ax.gemm %x, %x alpha 1.0 beta 1.0 trans_a false trans_b true : (tensor<6x6xf32>, tensor<6x6xf32>) -> tensor<6x6xf32> loc("a"("net.onnx":0:0))
  %y = ax.onnx "Gemm"(%a, %w) opset 17 present [1, 1] with {} : (tensor<6x6xf32>, tensor<6x5xf32>) -> tensor<6x5xf32>
  ax.return %y : tensor<6x5xf32>
}
