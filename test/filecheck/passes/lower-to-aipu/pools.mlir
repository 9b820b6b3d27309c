// Pools: where buffers live without promotion, and what a pool that is too small says.
// RUN: ax-opt %s -p 'lower-to-aipu{enable-buffer-promotion=false}' | filecheck %s --check-prefix=DDR
// RUN: ax-opt %s -p 'lower-to-aipu{io-memory-pool=global.l1 constant-memory-pool=global.l1}' | filecheck %s --check-prefix=L1
// RUN: not ax-opt %s -p 'lower-to-aipu{io-memory-pool=global.l2 l2-constraint=1000}' 2>&1 | filecheck %s --check-prefix=IO
// RUN: not ax-opt %s -p 'lower-to-aipu{constant-memory-pool=global.l2 l2-constraint=200000}' 2>&1 | filecheck %s --check-prefix=CONSTANT
// RUN: not ax-opt %s -p 'lower-to-aipu{workspace-memory-pool=global.l1 l1-constraint=60000}' 2>&1 | filecheck %s --check-prefix=WORKSPACE
// RUN: not ax-opt %s -p 'lower-to-aipu{io-memory-pool=l2}' 2>&1 | filecheck %s --check-prefix=BAD

axq.graph @main(%x: tensor<1x64x32x32x!axq.q<0.5 : 0>> "x") -> ("y") {
  %a = axq.conv %x weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("Conv_0")
  %y = axq.conv %a weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("Conv_1")
  axq.return %y : tensor<1x64x32x32x!axq.q<0.5 : 0>>
}

// DDR-DAG: aipu.buffer "Conv_0.constants" {{.*}} : !aipu.buffer<ddr>
// DDR-DAG: aipu.buffer "Conv_0" bytes 65536 : !aipu.buffer<ddr>
// DDR: aipu.input "x" {{.*}} : !aipu.buffer<ddr>

// The units read constants and the input where they are; the host reads the output in L1.
// L1-DAG: %[[W:.*]] = aipu.buffer "Conv_0.constants" bytes {{[0-9]+}} data {{.*}} : !aipu.buffer<l1>
// L1-DAG: %[[X:.*]] = aipu.buffer "x" bytes 65536 : !aipu.buffer<l1>
// L1: aipu.input "x" %[[X]][0] {{.*}} : !aipu.buffer<l1>
// L1: aipu.output "y" {{.*}} : !aipu.buffer<l1>
// L1-NOT: aipu.dma
// L1: aipu.load on load(src = l1 %[[W]][512])
// L1: aipu.mvm on array(src = l1 %[[X]][0], params = l1 %[[W]][0]

// IO: error: [Conv_0] the buffers whose pool is L2 do not fit it: 131,072 bytes needed, 1,000 allowed
// IO: note: alive there (131,072 bytes): x 65,536, Conv_1 65,536
// IO: note: set io_memory_pool or workspace_memory_pool to global.ddr

// CONSTANT: error: [{{.*}}] constants of {{[0-9,]+}} bytes do not fit L2, which is their pool: {{[0-9,]+}} are left
// CONSTANT: note: set constant_memory_pool to global.ddr

// WORKSPACE: error: [Conv_0] the layer does not fit L1 with any tiling
// WORKSPACE: note: {{.*}}; workspace_memory_pool keeps buffers in L1

// BAD: error: {{.*}}io-memory-pool
