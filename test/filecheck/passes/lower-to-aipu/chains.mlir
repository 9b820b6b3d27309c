// A depth-first chain: what two layers hand each other is a tile in L1, with the rows that the next layer's window needs.
// RUN: ax-opt %s -p 'lower-to-aipu{enable-buffer-promotion=false enable-icr=false force-h-tiling=2}' | filecheck %s --check-prefix=ALONE
// RUN: ax-opt %s -p 'lower-to-aipu{enable-buffer-promotion=false enable-icr=false force-h-tiling=2 tiling-depth=2}' | filecheck %s
// RUN: not ax-opt %s -p 'lower-to-aipu{tiling-depth=x}' 2>&1 | filecheck %s --check-prefix=BAD

axq.graph @main(%x: tensor<1x64x64x32x!axq.q<0.5 : 0>> "x") -> ("y") {
  %a = axq.conv %x weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x64x32x!axq.q<0.5 : 0>> -> tensor<1x64x64x32x!axq.q<0.5 : 0>> loc("Conv_0")
  %y = axq.conv %a weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x64x32x!axq.q<0.5 : 0>> -> tensor<1x64x64x32x!axq.q<0.5 : 0>> loc("Conv_1")
  axq.return %y : tensor<1x64x64x32x!axq.q<0.5 : 0>>
}

// ALONE: aipu.buffer "Conv_0" bytes 131072 : !aipu.buffer<ddr>
// ALONE-NOT: Conv_0.chain

// The first layer computes rows 0 to 32 and then rows 31 to 63: row 31 and row 32 twice.
// CHECK-NOT: aipu.buffer "Conv_0" bytes
// CHECK: %[[A:.*]] = aipu.buffer "Conv_0.chain" bytes 67584 : !aipu.buffer<l1>
// CHECK-NOT: aipu.buffer "Conv_0" bytes
// CHECK: %[[B:.*]] = aipu.buffer "Conv_0.chain" bytes 67584 : !aipu.buffer<l1>
// CHECK-NOT: aipu.buffer "Conv_0" bytes
// CHECK: aipu.mvm {{.*}} out = l1 %[[A]][0]) {{{.*}} y0 = -1, {{.*}} rows = 33,
// CHECK: aipu.mvm {{.*}}src = l1 %[[A]][0]{{.*}} y0 = -1, {{.*}} rows = 32,
// CHECK: aipu.mvm {{.*}} out = l1 %[[B]][0]) {{{.*}} y0 = 0, {{.*}} rows = 33,
// CHECK: aipu.mvm {{.*}}src = l1 %[[B]][0]{{.*}} y0 = 0, {{.*}} rows = 32,

// BAD: error: {{.*}}tiling-depth
