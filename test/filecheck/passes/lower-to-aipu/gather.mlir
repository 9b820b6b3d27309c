// RUN: ax-opt %s --split-input-file -p lower-to-aipu | filecheck %s

// Every second row once more: two copies, the even and the odd rows of the output.
axq.graph @twice(%x: tensor<1x80x3x5x!axq.q<0.5 : 0>> "x") -> ("y") {
  %y = axq.gather %x axis 2 indices [0, 0, 1, 1, 2, 2] : tensor<1x80x3x5x!axq.q<0.5 : 0>> -> tensor<1x80x6x5x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x80x6x5x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "twice"
// CHECK-SAME: layers [#aipu.layer<"gather_0", "gather", "dma", 0>]
// CHECK: aipu.core 0 {
// CHECK-NEXT: aipu.dma on dma1(src = l2 %{{.*}}[0], dst = l2 %{{.*}}[0]) {row_bytes = 640, count0 = 3, src_step0 = 640, dst_step0 = 1280} layer 0
// CHECK-NEXT: aipu.dma on dma1(src = l2 %{{.*}}[0], dst = l2 %{{.*}}[640]) {row_bytes = 640, count0 = 3, src_step0 = 640, dst_step0 = 1280} layer 0
// CHECK-NEXT: }

// -----

// Columns in any order: a run of neighbours is one copy, of pixels in all rows.
axq.graph @columns(%x: tensor<1x8x3x5x!axq.q<0.5 : 0>> "x") -> ("y") {
  %y = axq.gather %x axis 3 indices [2, 3, 4, 1, 1, 0] : tensor<1x8x3x5x!axq.q<0.5 : 0>> -> tensor<1x8x3x6x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x8x3x6x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "columns"
// CHECK: aipu.core 0 {
// CHECK-NEXT: aipu.dma on dma1(src = l2 %{{.*}}[128], dst = l2 %{{.*}}[0]) {row_bytes = 192, count0 = 3, src_step0 = 320, dst_step0 = 384} layer 0
// CHECK-NEXT: aipu.dma on dma1(src = l2 %{{.*}}[64], dst = l2 %{{.*}}[192]) {row_bytes = 64, count0 = 3, count1 = 2, src_step0 = 320, dst_step0 = 384, dst_step1 = 64} layer 0
// CHECK-NEXT: aipu.dma on dma1(src = l2 %{{.*}}[0], dst = l2 %{{.*}}[320]) {row_bytes = 64, count0 = 3, src_step0 = 320, dst_step0 = 384} layer 0
// CHECK-NEXT: }

// -----

// A constant that repeats along the width is stored as large as what it is added to.
axq.graph @repeated(%x: tensor<1x8x2x3x!axq.q<0.5 : 0>> "x") -> ("y") {
  %c = axq.constant dense<[[[[1], [2]]]]> : tensor<1x1x2x1xi8> : tensor<1x1x2x1x!axq.q<0.5 : 0>>
  %y = axq.map %x epilogue <add> extras %c : tensor<1x1x2x1x!axq.q<0.5 : 0>> : tensor<1x8x2x3x!axq.q<0.5 : 0>> -> tensor<1x8x2x3x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x8x2x3x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "repeated"
// CHECK: aipu.buffer "constant_0" bytes 384 data
