// One frame over two cores. Rows: each core has all weights, reads its rows of the input, and gets the row beyond them,
// which the other core has computed, through L2.
// RUN: ax-opt %s --split-input-file -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=cooperative enable-icr=false pipeline-spatial-tiles=false}' | filecheck %s
// RUN: ax-opt %s --split-input-file -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=cooperative enable-icr=false pipeline-spatial-tiles=false io-memory-pool=global.ddr workspace-memory-pool=global.ddr constant-memory-pool=global.ddr enable-buffer-promotion=false}' | filecheck %s --check-prefix DDR

axq.graph @rows(%x: tensor<1x64x32x32x!axq.q<0.5 : 0>> "x") -> ("y") {
  %a = axq.conv %x weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("Conv_0")
  %y = axq.conv %a weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("Conv_1")
  axq.return %y : tensor<1x64x32x32x!axq.q<0.5 : 0>>
}

// CHECK-LABEL: aipu.program "rows" target "metis" mode "cooperative"
// CHECK-SAME: layers [#aipu.layer<"Conv_0", "conv", "array", 37748736>, #aipu.layer<"Conv_0", "exchange", "dma", 0>, #aipu.layer<"Conv_1", "conv", "array", 37748736>]
// The bound is that of the work shared out: 2 * 32 * 32 * 9 / 8 vectors of 8 cycles, over two cores.
// CHECK-SAME: bound = {array = 1152 : i64
// Constants of both cores are one buffer; storages in L1 are each core's own, with the row that it receives.
// CHECK: %[[W:.*]] = aipu.buffer "Conv_0.constants" bytes 37376 data
// CHECK-NOT: data
// CHECK: %[[X:.*]] = aipu.buffer "x" bytes 65536 : !aipu.buffer<l2>
// CHECK: %[[A0:.*]] = aipu.buffer "Conv_0.0" bytes 34816 : !aipu.buffer<l1>
// CHECK-NEXT: %[[DOWN:.*]] = aipu.buffer "Conv_0.1.0.exchange" bytes 2048 : !aipu.buffer<l2>
// CHECK-NEXT: %[[UP:.*]] = aipu.buffer "Conv_0.1.1.exchange" bytes 2048 : !aipu.buffer<l2>
// CHECK: %[[Y:.*]] = aipu.buffer "Conv_1" bytes 65536 : !aipu.buffer<l2>
// CHECK: %[[A1:.*]] = aipu.buffer "Conv_0.1" bytes 34816 : !aipu.buffer<l1>
// CHECK: aipu.core 0 {
// CHECK: aipu.dma {{.*}}(src = l2 %[[X]][0], {{.*}} {row_bytes = 34816} layer 0
// CHECK: aipu.mvm {{.*}} out = l1 %[[A0]][0]) {src_rows = 17, {{.*}} y0 = -1, {{.*}} rows = 16,
// CHECK-NEXT: aipu.dma on dma1(src = l1 %[[A0]][30720], dst = l2 %[[DOWN]][0]) {row_bytes = 2048} layer 1
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[UP]][0], dst = l1 %[[A0]][32768]) {row_bytes = 2048} layer 1
// CHECK: aipu.mvm {{.*}}src = l1 %[[A0]][0], {{.*}} {src_rows = 17, {{.*}} y0 = -1, {{.*}} rows = 16,
// CHECK-NEXT: aipu.dma on dma1({{.*}} dst = l2 %[[Y]][0]) {row_bytes = 32768} layer 2
// The window of the lower half starts inside the image: no padding above it.
// CHECK: aipu.core 1 {
// CHECK: aipu.dma {{.*}}(src = l2 %[[X]][30720], {{.*}} {row_bytes = 34816} layer 0
// CHECK: aipu.mvm {{.*}} out = l1 %[[A1]][2048]) {src_rows = 17, {{.*}} y0 = 0, {{.*}} rows = 16,
// CHECK-NEXT: aipu.dma on dma1(src = l1 %[[A1]][2048], dst = l2 %[[UP]][0]) {row_bytes = 2048} layer 1
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[DOWN]][0], dst = l1 %[[A1]][0]) {row_bytes = 2048} layer 1
// CHECK: aipu.mvm {{.*}}src = l1 %[[A1]][0], {{.*}} {src_rows = 17, {{.*}} y0 = 0, {{.*}} rows = 16,
// CHECK-NEXT: aipu.dma on dma1({{.*}} dst = l2 %[[Y]][32768]) {row_bytes = 32768} layer 2

// Exchanges go through L2 also where nothing else may leave its pool.
// DDR-LABEL: aipu.program "rows"
// DDR: "x" bytes 65536 : !aipu.buffer<ddr>
// DDR: "Conv_0.0" bytes 34816 : !aipu.buffer<ddr>
// DDR: "Conv_0.1.0.exchange" bytes 2048 : !aipu.buffer<l2>

// -----

// Pwords of the output channels: each core loads half of the weights, and gathers all of the next layer's input.
axq.graph @blocks(%x: tensor<1x512x1x1x!axq.q<0.5 : 0>> "x") -> ("y") {
  %a = axq.conv %x weight dense<1> : tensor<512x512x1x1xi8> scale dense<0.25> : tensor<512xf32> bias dense<0> : tensor<512xi32>
    strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : tensor<1x512x1x1x!axq.q<0.5 : 0>> -> tensor<1x512x1x1x!axq.q<0.5 : 0>> loc("Conv_0")
  %y = axq.conv %a weight dense<1> : tensor<512x512x1x1xi8> scale dense<0.25> : tensor<512xf32> bias dense<0> : tensor<512xi32>
    strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : tensor<1x512x1x1x!axq.q<0.5 : 0>> -> tensor<1x512x1x1x!axq.q<0.5 : 0>> loc("Conv_1")
  axq.return %y : tensor<1x512x1x1x!axq.q<0.5 : 0>>
}

// CHECK-LABEL: aipu.program "blocks"
// CHECK-SAME: layers [#aipu.layer<"Conv_0", "conv", "array", 262144>, #aipu.layer<"Conv_0", "exchange", "dma", 0>, #aipu.layer<"Conv_1", "conv", "array", 262144>]
// Equal halves of the weights (all are 1 here) are one buffer, those of both layers too.
// CHECK: %[[W:.*]] = aipu.buffer "Conv_0.constants" bytes 133120 data
// CHECK-NOT: data
// CHECK: %[[A0:.*]] = aipu.buffer "Conv_0.0" bytes 512 : !aipu.buffer<l1>
// CHECK-NEXT: %[[LOW:.*]] = aipu.buffer "Conv_0.1.0.exchange" bytes 256 : !aipu.buffer<l2>
// CHECK-NEXT: %[[HIGH:.*]] = aipu.buffer "Conv_0.1.1.exchange" bytes 256 : !aipu.buffer<l2>
// CHECK: %[[Y:.*]] = aipu.buffer "Conv_1" bytes 512 : !aipu.buffer<l2>
// CHECK: %[[A1:.*]] = aipu.buffer "Conv_0.1" bytes 512 : !aipu.buffer<l1>
// CHECK: aipu.core 0 {
// CHECK: aipu.load {{.*}} segment_rows = 512, columns = 256} layer 0
// CHECK: aipu.mvm {{.*}} out = l1 %[[A0]][0]) {{{.*}} blocks = 8,
// CHECK-NEXT: aipu.dma on dma1(src = l1 %[[A0]][0], dst = l2 %[[LOW]][0]) {row_bytes = 256} layer 1
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[HIGH]][0], dst = l1 %[[A0]][256]) {row_bytes = 256} layer 1
// CHECK: aipu.dma on dma1({{.*}} dst = l2 %[[Y]][0]) {row_bytes = 256} layer 2
// CHECK: aipu.core 1 {
// CHECK: aipu.mvm {{.*}} out = l1 %[[A1]][256]) {{{.*}} blocks = 8,
// CHECK-NEXT: aipu.dma on dma1(src = l1 %[[A1]][256], dst = l2 %[[HIGH]][0]) {row_bytes = 256} layer 1
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[LOW]][0], dst = l1 %[[A1]][0]) {row_bytes = 256} layer 1
// CHECK: aipu.dma on dma1({{.*}} dst = l2 %[[Y]][256]) {row_bytes = 256} layer 2
