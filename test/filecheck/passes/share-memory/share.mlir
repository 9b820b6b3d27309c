// RUN: ax-opt %s -p 'share-memory{l2-constraint=65536 ddr-constraint=65536}' --split-input-file | filecheck %s

// The small one gets what it needs, the other what is left, in whole pages of 4096 bytes.
// CHECK: axq.graph @main({{.*}} attributes {memory_share = {l2 = 24576 : i64, ddr = 24576 : i64}} {
// CHECK: ax.graph @island1({{[^{]*}}{
// CHECK: axq.graph @main1({{.*}} attributes {memory_share = {l2 = 40960 : i64, ddr = 40960 : i64}} {
axq.graph @main(%x: tensor<1x1x8x8x!axq.q<0.5 : 0>> "x") -> ("a") {
  %a = axq.map %x epilogue <relu> : tensor<1x1x8x8x!axq.q<0.5 : 0>> -> tensor<1x1x8x8x!axq.q<0.5 : 0>>
  axq.return %a : tensor<1x1x8x8x!axq.q<0.5 : 0>>
}
ax.graph @island1(%a: tensor<1x1x8x8xf32> "a") -> ("b") {
  %b = ax.onnx "Cos"(%a) opset 17 present [1] with {} : (tensor<1x1x8x8xf32>) -> tensor<1x1x8x8xf32>
  ax.return %b : tensor<1x1x8x8xf32>
}
axq.graph @main1(%b: tensor<1x64x8x16x!axq.q<0.5 : 0>> "b") -> ("y") {
  %y = axq.map %b epilogue <relu> : tensor<1x64x8x16x!axq.q<0.5 : 0>> -> tensor<1x64x8x16x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x64x8x16x!axq.q<0.5 : 0>>
}

// -----

// One graph has all to itself.
// CHECK: axq.graph @main({{.*}}) -> ("a") {
axq.graph @main(%x: tensor<1x1x8x8x!axq.q<0.5 : 0>> "x") -> ("a") {
  %a = axq.map %x epilogue <relu> : tensor<1x1x8x8x!axq.q<0.5 : 0>> -> tensor<1x1x8x8x!axq.q<0.5 : 0>>
  axq.return %a : tensor<1x1x8x8x!axq.q<0.5 : 0>>
}
