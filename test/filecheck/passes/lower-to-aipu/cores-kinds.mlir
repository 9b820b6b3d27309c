// What each kind of layer becomes when two cores share it by rows. Outputs are written in parts.
// RUN: ax-opt %s --split-input-file -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=cooperative enable-icr=false pipeline-spatial-tiles=false}' | filecheck %s

axq.graph @residual(%x: tensor<1x64x32x32x!axq.q<0.5 : 0>> "x") -> ("y") {
  %a = axq.conv %x weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("a")
  %y = axq.conv %a weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 epilogue <add> extras %a : tensor<1x64x32x32x!axq.q<0.5 : 0>>
    : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("y")
  axq.return %y : tensor<1x64x32x32x!axq.q<0.5 : 0>>
}

// The operand of a core are its own rows of the residual, without those around them that the window reads.
// CHECK-LABEL: aipu.program "residual"
// CHECK: %[[A0:.*]] = aipu.buffer "a.0" bytes 34816 : !aipu.buffer<l1>
// CHECK: %[[A1:.*]] = aipu.buffer "a.1" bytes 34816 : !aipu.buffer<l1>
// CHECK: aipu.mvm {{.*}}(src = l1 %[[A0]][0], {{.*}} operand0 = l1 %[[A0]][0], {{.*}} layer 2
// CHECK: aipu.mvm {{.*}}(src = l1 %[[A1]][0], {{.*}} operand0 = l1 %[[A1]][2048], {{.*}} layer 2

// -----

axq.graph @window(%x: tensor<1x64x32x32x!axq.q<0.5 : 0>> "x") -> ("y") {
  %a = axq.conv %x weight dense<1> : tensor<64x1x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 64
    : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("a")
  %y = axq.max_pool %a kernel [3, 3] strides [2, 2] pads [0, 0, 1, 1] dilations [1, 1] : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x16x16x!axq.q<0.5 : 0>> loc("y")
  axq.return %y : tensor<1x64x16x16x!axq.q<0.5 : 0>>
}

// Rows 0 to 15 and 16 to 31; the pool's window goes beyond them at one side only, and so does the exchange.
// CHECK-LABEL: aipu.program "window"
// CHECK: %[[A0:.*]] = aipu.buffer "a.0" bytes 34816 : !aipu.buffer<l1>
// CHECK: %[[E:.*]] = aipu.buffer "a.1.0.exchange" bytes 2048 : !aipu.buffer<l2>
// CHECK: %[[Y:.*]] = aipu.buffer "y" bytes 16384 : !aipu.buffer<l2>
// CHECK: %[[A1:.*]] = aipu.buffer "a.1" bytes 32768 : !aipu.buffer<l1>
// CHECK: aipu.core 0 {
// CHECK: aipu.depthwise {{.*}} out = l1 %[[A0]][0], {{.*}} {src_rows = 17, {{.*}} y0 = -1,
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[E]][0], dst = l1 %[[A0]][32768]) {row_bytes = 2048} layer 1
// CHECK-NEXT: aipu.depthwise {{.*}}(src = l1 %[[A0]][0], {{.*}} {src_rows = 17, {{.*}} rows = 8,
// CHECK-NEXT: aipu.dma on dma1({{.*}} dst = l2 %[[Y]][0]) {row_bytes = 8192} layer 2
// CHECK: aipu.core 1 {
// CHECK: aipu.depthwise {{.*}} out = l1 %[[A1]][0], {{.*}} {src_rows = 17, {{.*}} y0 = 0,
// CHECK-NEXT: aipu.dma on dma1(src = l1 %[[A1]][0], dst = l2 %[[E]][0]) {row_bytes = 2048} layer 1
// CHECK-NEXT: aipu.depthwise {{.*}}(src = l1 %[[A1]][0], {{.*}} {src_rows = 16, {{.*}} rows = 8,
// CHECK-NEXT: aipu.dma on dma1({{.*}} dst = l2 %[[Y]][8192]) {row_bytes = 8192} layer 2

// -----

axq.graph @concat(%x: tensor<1x64x32x32x!axq.q<0.5 : 0>> "x") -> ("y") {
  %a = axq.map %x epilogue <relu> : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("a")
  %b = axq.conv %x weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("b")
  %c = axq.concat %a, %b axis 1 : (tensor<1x64x32x32x!axq.q<0.5 : 0>>, tensor<1x64x32x32x!axq.q<0.5 : 0>>) -> tensor<1x128x32x32x!axq.q<0.5 : 0>>
  %y = axq.conv %c weight dense<1> : tensor<64x128x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x128x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("y")
  axq.return %y : tensor<1x64x32x32x!axq.q<0.5 : 0>>
}

// Both parts of a concatenation are in one storage a core. The first is cheap: each core computes all of it. Of the
// second, every other pword of a row is sent.
// CHECK-LABEL: aipu.program "concat"
// CHECK-SAME: layers [#aipu.layer<"a", "map", "vector", 0>, #aipu.layer<"b", "conv", "array", 37748736>, #aipu.layer<"b", "exchange", "dma", 0>, #aipu.layer<"y", "conv", "array", 75497472>]
// CHECK: %[[C0:.*]] = aipu.buffer "concat_2.0" bytes 131072 : !aipu.buffer<l1>
// CHECK: %[[E0:.*]] = aipu.buffer "b.2.0.exchange" bytes 2048 : !aipu.buffer<l2>
// CHECK: %[[E1:.*]] = aipu.buffer "b.2.1.exchange" bytes 2048 : !aipu.buffer<l2>
// CHECK: aipu.core 0 {
// CHECK: aipu.vec {{.*}} out = l1 %[[C0]][0]) {src_rows = 32, {{.*}} rows = 32,
// CHECK: aipu.mvm {{.*}} out = l1 %[[C0]][64]) {{{.*}} rows = 16,
// CHECK-NEXT: aipu.dma on dma1(src = l1 %[[C0]][61504], dst = l2 %[[E0]][0]) {row_bytes = 64, count0 = 32, src_step0 = 128, dst_step0 = 64} layer 2
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[E1]][0], dst = l1 %[[C0]][65600]) {row_bytes = 64, count0 = 32, src_step0 = 64, dst_step0 = 128} layer 2
// CHECK: aipu.mvm {{.*}}(src = l1 %[[C0]][0], {{.*}} {src_rows = 17, row_bytes = 4096,
// CHECK: aipu.core 1 {
// CHECK: aipu.vec {{.*}} rows = 32,

// -----

axq.graph @softmax(%x: tensor<1x80x32x32x!axq.q<0.5 : 0>> "x") -> ("y") {
  %y = axq.softmax %x axis 1 neutral -1.000000e+05 : tensor<1x80x32x32x!axq.q<0.5 : 0>> -> tensor<1x80x32x32x!axq.q<0.00390625 : -128>> loc("y")
  axq.return %y : tensor<1x80x32x32x!axq.q<0.00390625 : -128>>
}

// All channels of a pixel are one core's.
// CHECK-LABEL: aipu.program "softmax"
// CHECK: %[[X:.*]] = aipu.buffer "x" bytes 131072 : !aipu.buffer<l2>
// CHECK: aipu.core 0 {
// CHECK: aipu.dma on dma0(src = l2 %[[X]][0], {{.*}} {row_bytes = 65536} layer 0
// CHECK: aipu.softmax {{.*}} rows = 16, pixels = 32, channels = 80,
// CHECK: aipu.core 1 {
// CHECK: aipu.dma on dma0(src = l2 %[[X]][65536], {{.*}} {row_bytes = 65536} layer 0
// CHECK: aipu.softmax {{.*}} rows = 16, pixels = 32, channels = 80,

// -----

axq.graph @transposed(%x: tensor<1x64x16x16x!axq.q<0.5 : 0>> "x") -> ("y") {
  %y = axq.conv_transpose %x weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [2, 2] pads [1, 1, 0, 0] output_padding [0, 0] dilations [1, 1] group 1
    : tensor<1x64x16x16x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("y")
  axq.return %y : tensor<1x64x32x32x!axq.q<0.5 : 0>>
}

// Cut by rows of its phases: eight rows of each are sixteen of the output. The last core has no row below its own.
// CHECK-LABEL: aipu.program "transposed"
// CHECK: %[[X:.*]] = aipu.buffer "x" bytes 16384 : !aipu.buffer<l2>
// CHECK: %[[Y:.*]] = aipu.buffer "y" bytes 65536 : !aipu.buffer<l2>
// CHECK: aipu.core 0 {
// CHECK: aipu.dma on dma0(src = l2 %[[X]][0], {{.*}} {row_bytes = 9216} layer 0
// CHECK-COUNT-4: aipu.mvm {{.*}} {src_rows = 9, {{.*}} y0 = 0, {{.*}} rows = 8,
// CHECK: aipu.dma on dma1({{.*}} dst = l2 %[[Y]][0]) {row_bytes = 32768} layer 0
// CHECK: aipu.core 1 {
// CHECK: aipu.dma on dma0(src = l2 %[[X]][8192], {{.*}} {row_bytes = 8192} layer 0
// CHECK-COUNT-4: aipu.mvm {{.*}} {src_rows = 8, {{.*}} y0 = 0, {{.*}} rows = 8,
// CHECK: aipu.dma on dma1({{.*}} dst = l2 %[[Y]][32768]) {row_bytes = 32768} layer 0

// -----

axq.graph @broadcast(%x: tensor<1x64x32x32x!axq.q<0.5 : 0>> "x") -> ("y") {
  %p = axq.avg_pool %x kernel [32, 32] strides [1, 1] pads [0, 0, 0, 0] count_include_pad false : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x1x1x!axq.q<0.5 : 0>> loc("p")
  %y = axq.conv %x weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 epilogue <mul> extras %p : tensor<1x64x1x1x!axq.q<0.5 : 0>>
    : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("y")
  axq.return %y : tensor<1x64x32x32x!axq.q<0.5 : 0>>
}

// What all rows are multiplied by, one pixel, is computed by every core: there is nothing to exchange.
// CHECK-LABEL: aipu.program "broadcast"
// CHECK-SAME: layers [#aipu.layer<"p", "avg_pool", "depthwise", 0>, #aipu.layer<"y", "conv", "array", 37748736>]
// CHECK: %[[P0:.*]] = aipu.buffer "p.0" bytes 64 : !aipu.buffer<l1>
// CHECK: %[[P1:.*]] = aipu.buffer "p.1" bytes 64 : !aipu.buffer<l1>
// CHECK: aipu.core 0 {
// CHECK: aipu.mvm {{.*}} operand0 = l1 %[[P0]][0], {{.*}} y0 = -1, {{.*}} rows = 16,
// CHECK: aipu.core 1 {
// CHECK: aipu.mvm {{.*}} operand0 = l1 %[[P1]][0], {{.*}} y0 = 0, {{.*}} rows = 16,
