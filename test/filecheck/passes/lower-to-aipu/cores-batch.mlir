// In mode batch lowering makes the program of one core, but keeps room for as many frames as cores: constants are there
// once, activations for every frame. Two frames' inputs and outputs are 262,144 bytes.
// RUN: ax-opt %s -p 'lower-to-aipu{aipu-cores-used=1 l2-constraint=250000}' | filecheck %s --check-prefixes ALL,FITS
// RUN: ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=batch l2-constraint=340000}' | filecheck %s --check-prefixes ALL,FITS
// RUN: ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=batch l2-constraint=250000}' | filecheck %s --check-prefixes ALL,FULL
// RUN: ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=batch l2-constraint=250000},batch-over-cores{aipu-cores-used=2 multicore-mode=batch},plan-memory{l2-constraint=250000 page-memory=false double-buffer=false}' | filecheck %s --check-prefix PLANNED

axq.graph @halo(%x: tensor<1x64x32x32x!axq.q<0.5 : 0>> "x") -> ("y") {
  %a = axq.conv %x weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("Conv_0")
  %y = axq.conv %a weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("Conv_1")
  axq.return %y : tensor<1x64x32x32x!axq.q<0.5 : 0>>
}

// ALL: aipu.program "halo" target "metis" layers
// ALL: "Conv_0.constants" bytes 37376 data {{.*}} : !aipu.buffer<l2>
// FITS: "x" bytes 65536 : !aipu.buffer<l2>
// FULL: "x" bytes 65536 : !aipu.buffer<ddr>
// ALL: "Conv_1.constants" bytes 37376 data {{.*}} : !aipu.buffer<l2>
// ALL: "Conv_1" bytes 65536 : !aipu.buffer<l2>
// ALL: aipu.core 0 {
// ALL-NOT: aipu.core 1

// PLANNED: aipu.program "halo" target "metis" mode "batch"
// PLANNED: "Conv_0.constants" bytes 37376 at {{[0-9]+}} data {{.*}} : !aipu.buffer<l2>
// PLANNED: "x.0" bytes 65536 at {{[0-9]+}} : !aipu.buffer<ddr>
// PLANNED: "x.1" bytes 65536 at {{[0-9]+}} : !aipu.buffer<ddr>
// PLANNED: "Conv_1.0" bytes 65536 at {{[0-9]+}} : !aipu.buffer<l2>
// PLANNED: "Conv_1.1" bytes 65536 at {{[0-9]+}} : !aipu.buffer<l2>
