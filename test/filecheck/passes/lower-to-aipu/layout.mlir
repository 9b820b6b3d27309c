// RUN: ax-opt %s --split-input-file -p lower-to-aipu | filecheck %s

// A slice that begins on a pword is a view: row 1, column 2, channel 64 of [4, 4, 128]. The other one is a convolution
// that selects its channels, as a layer of its own.
axq.graph @slices(%x: tensor<1x128x4x4x!axq.q<0.5 : 0>> "x") -> ("y", "z") {
  %a = axq.slice %x starts [0, 64, 1, 2] ends [1, 128, 3, 4] steps [1, 1, 1, 1] : tensor<1x128x4x4x!axq.q<0.5 : 0>> -> tensor<1x64x2x2x!axq.q<0.5 : 0>>
  %y = axq.map %a epilogue <relu> : tensor<1x64x2x2x!axq.q<0.5 : 0>> -> tensor<1x64x2x2x!axq.q<0.5 : 0>>
  %b = axq.slice %x starts [0, 1, 0, 0] ends [1, 5, 4, 4] steps [1, 2, 1, 1] : tensor<1x128x4x4x!axq.q<0.5 : 0>> -> tensor<1x2x4x4x!axq.q<0.5 : 0>>
  axq.return %y, %b : tensor<1x64x2x2x!axq.q<0.5 : 0>>, tensor<1x2x4x4x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "slices"
// CHECK-SAME: layers [#aipu.layer<"map_1", "map", "vector", 0>, #aipu.layer<"slice_2", "slice", "array", 0>]
// CHECK: %[[X:.*]] = aipu.buffer "x" bytes 2048 : !aipu.buffer<l2>
// CHECK: aipu.dma on dma0(src = l2 %[[X]][832], dst = l1 %{{.*}}[0]) {row_bytes = 64, count0 = 2, count1 = 2, src_step0 = 128, src_step1 = 512, dst_step0 = 64, dst_step1 = 128} layer 0
// CHECK: aipu.mvm {{.*}} matrix_rows = 128, columns = 1} layer 1

// -----

// The concatenation has its channels at 0 and at 64, the input has them side by side: a convolution with the identity
// brings it into the concatenation's layout.
axq.graph @relayout(%x: tensor<1x8x4x4x!axq.q<0.5 : 0>> "x", %e: tensor<1x16x4x4x!axq.q<0.5 : 0>> "e") -> ("y") {
  %a = axq.map %x epilogue <relu> : tensor<1x8x4x4x!axq.q<0.5 : 0>> -> tensor<1x8x4x4x!axq.q<0.5 : 0>>
  %b = axq.map %x epilogue <tanh> : tensor<1x8x4x4x!axq.q<0.5 : 0>> -> tensor<1x8x4x4x!axq.q<0.5 : 0>>
  %c = axq.concat %a, %b axis 1 : (tensor<1x8x4x4x!axq.q<0.5 : 0>>, tensor<1x8x4x4x!axq.q<0.5 : 0>>) -> tensor<1x16x4x4x!axq.q<0.5 : 0>>
  %y = axq.map %c epilogue <add> extras %e : tensor<1x16x4x4x!axq.q<0.5 : 0>> : tensor<1x16x4x4x!axq.q<0.5 : 0>> -> tensor<1x16x4x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x16x4x4x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "relayout"
// CHECK-SAME: #aipu.layer<"map_{{[0-9]+}}", "relayout", "array", 0>
// CHECK: %[[E:.*]] = aipu.buffer "map_{{[0-9]+}}.layout" bytes 2048 : !aipu.buffer<l1>
// CHECK: aipu.output "y" %{{.*}}[0] layout <rows 512, pixels 128, channels [8 at 0, 8 at 64]>
// CHECK: aipu.mvm on array(src = l1 %{{.*}}[0], out = l1 %[[E]][0]) {{.*}} columns = 2} layer 2
// CHECK: aipu.vec {{.*}}operand0 = l1 %[[E]][0], {{.*}} layer 3

// -----

// Along the height a concatenation is one tensor after the other: the first is written there, the input is copied.
axq.graph @rows(%x: tensor<1x8x2x4x!axq.q<0.5 : 0>> "x") -> ("y") {
  %a = axq.map %x epilogue <relu> : tensor<1x8x2x4x!axq.q<0.5 : 0>> -> tensor<1x8x2x4x!axq.q<0.5 : 0>>
  %c = axq.concat %a, %x axis 2 : (tensor<1x8x2x4x!axq.q<0.5 : 0>>, tensor<1x8x2x4x!axq.q<0.5 : 0>>) -> tensor<1x8x4x4x!axq.q<0.5 : 0>>
  axq.return %c : tensor<1x8x4x4x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "rows"
// CHECK: %[[X:.*]] = aipu.buffer "x" bytes 512 : !aipu.buffer<l2>
// CHECK: %[[Y:.*]] = aipu.buffer "concat_{{[0-9]+}}" bytes 1024 : !aipu.buffer<l2>
// CHECK: aipu.dma on dma1(src = l1 %{{.*}}[0], dst = l2 %[[Y]][0]) {row_bytes = 512} layer 0
// CHECK: aipu.dma on dma1(src = l2 %[[X]][0], dst = l2 %[[Y]][512]) {row_bytes = 512} layer 1

// -----

// An input that is an output as well is copied: the host's buffers are distinct. One that nothing reads has its place.
axq.graph @through(%x: tensor<1x8x2x4x!axq.q<0.5 : 0>> "x", %unused: tensor<1x8x2x4x!axq.q<0.5 : 0>> "unused") -> ("y", "z") {
  %a = axq.map %x epilogue <relu> : tensor<1x8x2x4x!axq.q<0.5 : 0>> -> tensor<1x8x2x4x!axq.q<0.5 : 0>>
  axq.return %x, %a : tensor<1x8x2x4x!axq.q<0.5 : 0>>, tensor<1x8x2x4x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "through"
// CHECK-DAG: %[[X:.*]] = aipu.buffer "x" bytes 512 : !aipu.buffer<l2>
// CHECK-DAG: %[[Y:.*]] = aipu.buffer "y" bytes 512 : !aipu.buffer<l2>
// CHECK-DAG: %[[U:.*]] = aipu.buffer "unused" bytes 512 : !aipu.buffer<l2>
// CHECK-DAG: aipu.input "unused" %[[U]][0]
// CHECK-DAG: aipu.output "y" %[[Y]][0]
// CHECK: aipu.dma on dma1(src = l2 %[[X]][0], dst = l2 %[[Y]][0]) {row_bytes = 512} layer 1
