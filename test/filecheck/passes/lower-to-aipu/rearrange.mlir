// RUN: ax-opt %s --split-input-file -p lower-to-aipu | filecheck %s

// Height and width exchanged: pixels stay whole, padding included.
axq.graph @pixels(%x: tensor<1x80x4x6x!axq.q<0.5 : 0>> "x") -> ("y") {
  %y = axq.rearrange %x split [80, 4, 6] perm [0, 2, 1] shape [1, 80, 6, 4] : tensor<1x80x4x6x!axq.q<0.5 : 0>> -> tensor<1x80x6x4x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x80x6x4x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "pixels"
// CHECK-SAME: layers [#aipu.layer<"rearrange_0", "rearrange", "dma", 0>]
// CHECK: aipu.core 0 {
// CHECK-NEXT: aipu.dma on dma1(src = l2 %{{.*}}[0], dst = l2 %{{.*}}[0]) {row_bytes = 128, count0 = 6, count1 = 4, src_step0 = 128, src_step1 = 768, dst_step0 = 512, dst_step1 = 128} layer 0
// CHECK-NEXT: }

// -----

// Channels and width exchanged: a byte a row; the padding of the output is filled first.
axq.graph @bytes(%x: tensor<1x80x4x6x!axq.q<0.5 : 0>> "x") -> ("y") {
  %y = axq.rearrange %x split [80, 4, 6] perm [2, 1, 0] shape [1, 6, 4, 80] : tensor<1x80x4x6x!axq.q<0.5 : 0>> -> tensor<1x6x4x80x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x6x4x80x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "bytes"
// CHECK: %[[ZEROS:.*]] = aipu.buffer "zeros" bytes 64
// CHECK: aipu.core 0 {
// CHECK-NEXT: aipu.dma on dma1(src = l2 %[[ZEROS]][0], dst = l2 %{{.*}}[0]) {row_bytes = 64, count0 = 80, count1 = 4, dst_step0 = 64, dst_step1 = 5120} layer 0
// CHECK-NEXT: aipu.dma on dma1(src = l2 %{{.*}}[0], dst = l2 %{{.*}}[0]) {row_bytes = 1, count0 = 80, count1 = 6, count2 = 4, src_step0 = 1, src_step1 = 128, src_step2 = 768, dst_step0 = 64, dst_step1 = 1, dst_step2 = 5120} layer 0
// CHECK-NEXT: }

// -----

// Four groups of 16 channels become rows: 16 bytes a row. A concatenation takes them where it wants them.
axq.graph @groups(%x: tensor<1x64x1x10x!axq.q<0.5 : 0>> "x") -> ("y") {
  %a = axq.rearrange %x split [4, 16, 10] perm [1, 0, 2] shape [1, 16, 4, 10] : tensor<1x64x1x10x!axq.q<0.5 : 0>> -> tensor<1x16x4x10x!axq.q<0.5 : 0>>
  %y = axq.concat %a, %a axis 1 : (tensor<1x16x4x10x!axq.q<0.5 : 0>>, tensor<1x16x4x10x!axq.q<0.5 : 0>>) -> tensor<1x32x4x10x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x32x4x10x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "groups"
// CHECK: aipu.dma on dma1({{.*}}, dst = l2 %[[Y:.*]][0]) {row_bytes = 64, count0 = 10, count1 = 4, dst_step0 = 128, dst_step1 = 1280} layer 0
// CHECK-NEXT: aipu.dma on dma1({{.*}}, dst = l2 %[[Y]][0]) {row_bytes = 16, count0 = 10, count1 = 4, src_step0 = 64, src_step1 = 16, dst_step0 = 128, dst_step1 = 1280} layer 0
// CHECK-NEXT: aipu.dma on dma1({{.*}}, dst = l2 %[[Y]][64]) {{.*}} layer 1

// -----

// Five factors apart from each other: three are counted, the shortest takes a copy for each of its two positions.
axq.graph @five(%x: tensor<1x12x6x7x!axq.q<0.5 : 0>> "x") -> ("y") {
  %y = axq.rearrange %x split [4, 3, 2, 3, 7] perm [4, 1, 3, 0, 2] shape [1, 7, 9, 8] : tensor<1x12x6x7x!axq.q<0.5 : 0>> -> tensor<1x7x9x8x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x7x9x8x!axq.q<0.5 : 0>>
}
// CHECK-LABEL: aipu.program "five"
// CHECK: aipu.core 0 {
// CHECK-NEXT: row_bytes = 64
// CHECK-COUNT-6: row_bytes = 1, count0 = 7, count1 = 4, count2 = 3
// CHECK-NEXT: }

// -----

// All pixels become channels, and all channels pixels: the array multiplies the identity by the transposed tensor.
axq.graph @turned(%x: tensor<1x64x8x8x!axq.q<0.5 : 3>> "x") -> ("y") {
  %y = axq.rearrange %x split [4, 16, 8, 8] perm [2, 3, 0, 1] shape [1, 64, 4, 16] : tensor<1x64x8x8x!axq.q<0.5 : 3>> -> tensor<1x64x4x16x!axq.q<0.5 : 3>>
  axq.return %y : tensor<1x64x4x16x!axq.q<0.5 : 3>>
}
// CHECK-LABEL: aipu.program "turned"
// CHECK-SAME: layers [#aipu.layer<"rearrange_0", "rearrange", "array", 0>]
// CHECK: aipu.buffer "identity.4x16" bytes 4096 data
// CHECK: aipu.load_pixels on load({{.*}}) {pitch = 64, pixels = 64, channels = 64, row = 0, transpose = 1} layer 0
// CHECK-NEXT: aipu.mvm {{.*}} rows = 4, vectors = 16, {{.*}} layer 0

// -----

// More channels than the array has rows: a product for each 512, with the same identity.
axq.graph @many(%x: tensor<1x1024x1x64x!axq.q<0.5 : 3>> "x") -> ("y") {
  %y = axq.rearrange %x split [1024, 64] perm [1, 0] shape [1, 64, 1, 1024] : tensor<1x1024x1x64x!axq.q<0.5 : 3>> -> tensor<1x64x1x1024x!axq.q<0.5 : 3>>
  axq.return %y : tensor<1x64x1x1024x!axq.q<0.5 : 3>>
}
// CHECK-LABEL: aipu.program "many"
// CHECK-SAME: layers [#aipu.layer<"rearrange_0", "rearrange", "array", 0>, #aipu.layer<"rearrange_0", "rearrange", "array", 0>]
// CHECK: aipu.buffer "identity.1x512"
// CHECK-NOT: aipu.buffer "identity
// CHECK: aipu.load_pixels {{.*}}pixels = 64, channels = 512, row = 0, transpose = 1} layer 0
// CHECK: aipu.load_pixels {{.*}}pixels = 64, channels = 512, row = 0, transpose = 1} layer 1
