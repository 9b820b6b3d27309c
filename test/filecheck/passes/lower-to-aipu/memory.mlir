// RUN: ax-opt %s -p 'lower-to-aipu{l1-constraint=60000}' | filecheck %s
// RUN: ax-opt %s -p 'lower-to-aipu{l2-constraint=0}' | filecheck %s --check-prefix=DDR
// RUN: not ax-opt %s -p 'lower-to-aipu{l1-constraint=2000}' 2>&1 | filecheck %s --check-prefix=SMALL

axq.graph @main(%x: tensor<1x64x32x32x!axq.q<0.5 : 0>> "x") -> ("y") {
  %y = axq.conv %x weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("Conv_0")
  axq.return %y : tensor<1x64x32x32x!axq.q<0.5 : 0>>
}

// Tiles of rows, each with its halo: the second reads from one row above its first.
// CHECK: aipu.dma on dma0(src = l2 %[[X:.*]][0], dst = l1 %{{.*}}[0]) {row_bytes = [[#]]}
// CHECK: aipu.mvm {{.*}} y0 = -1
// CHECK: aipu.dma on dma1
// CHECK: aipu.mvm {{.*}} y0 = 0

// DDR: aipu.buffer "Conv_0.constants" {{.*}} : !aipu.buffer<ddr>
// DDR: aipu.input "x" {{.*}} : !aipu.buffer<ddr>

// SMALL: error: [Conv_0] the layer does not fit L1 with any tiling: it needs {{[0-9,]+}} bytes, there are 2,000
// SMALL: note: buffers of its smallest tile: input tile {{[0-9,]+}}, output tile
// SMALL: note: raise l1_constraint
