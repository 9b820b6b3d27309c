// What several cores cannot do, or not in so little memory: layer, buffers, bytes, and what to set.
// RUN: not ax-opt %s -p 'lower-to-aipu{aipu-cores-used=3 multicore-mode=pipeline}' 2>&1 | filecheck %s --check-prefix STAGES
// RUN: not ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=pipeline io-memory-pool=global.l1}' 2>&1 | filecheck %s --check-prefix PORTS
// RUN: not ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=cooperative io-memory-pool=global.l1}' 2>&1 | filecheck %s --check-prefix PORTS
// RUN: not ax-opt %s -p 'lower-to-aipu{aipu-cores-used=5 multicore-mode=batch}' 2>&1 | filecheck %s --check-prefix CORES
// RUN: not ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=cooperative l1-constraint=5000}' 2>&1 | filecheck %s --check-prefix ONE
// RUN: not ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=cooperative io-memory-pool=global.ddr workspace-memory-pool=global.l2 constant-memory-pool=global.ddr enable-buffer-promotion=false l2-constraint=60000}' 2>&1 | filecheck %s --check-prefix TOGETHER
// RUN: not ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=cooperative io-memory-pool=global.ddr workspace-memory-pool=global.l2 constant-memory-pool=global.ddr enable-buffer-promotion=false l2-constraint=30000}' 2>&1 | filecheck %s --check-prefix ALONE
// RUN: not ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=batch io-memory-pool=global.l2 l2-constraint=200000}' 2>&1 | filecheck %s --check-prefix FRAMES
// RUN: not ax-opt %s -p 'lower-to-aipu{aipu-cores-used=4 multicore-mode=cooperative stream-tasklist=false l2-constraint=3000000}' 2>&1 | filecheck %s --check-prefix LISTS
// RUN: not ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=diagonal}' 2>&1 | filecheck %s --check-prefix MODE

axq.graph @halo(%x: tensor<1x64x32x32x!axq.q<0.5 : 0>> "x") -> ("y") {
  %a = axq.conv %x weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("Conv_0")
  %y = axq.conv %a weight dense<1> : tensor<64x64x3x3xi8> scale dense<0.25> : tensor<64xf32> bias dense<0> : tensor<64xi32>
    strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1
    : tensor<1x64x32x32x!axq.q<0.5 : 0>> -> tensor<1x64x32x32x!axq.q<0.5 : 0>> loc("Conv_1")
  axq.return %y : tensor<1x64x32x32x!axq.q<0.5 : 0>>
}

// STAGES: error: a pipeline of 3 cores needs as many layers: 2 layers for 3 stages
// STAGES-NEXT: note: lower aipu_cores_used

// PORTS: error: io_memory_pool is global.l1: the cores of a {{pipeline|cooperative}} program share inputs and outputs, each has its own L1
// PORTS-NEXT: note: set io_memory_pool to global.l2 or global.ddr

// CORES: error: aipu_cores_used is 5, metis has 4 cores
// CORES-NEXT: note: set aipu_cores_used to no more than the device has

// A core's share of a layer is refused as a layer of one core is.
// ONE: error: [Conv_{{[01]}}] the layer does not fit L1 with any tiling: it needs {{[0-9,]+}} bytes, there are 5,000
// ONE-NEXT: note: buffers of its smallest tile:
// ONE-NEXT: note: raise l1_constraint

// Either core's half would fit. The message is about what the user allows.
// TOGETHER: error: [Conv_0] the parts of 2 cores do not fit l2 together: 74,240 bytes needed, 60,000 allowed (14,240 too many)
// TOGETHER-NEXT: note: constants 512, passed between cores, and ports 4,096, core 0 34,816, core 1 34,816; alive there by core 0: Conv_0.0 34,816
// TOGETHER-NEXT: note: raise l2_constraint or resources_used, set a pool to global.ddr, or use fewer cores

// ALONE: error: [Conv_0] the buffers whose pool is L2 do not fit it: 36,864 bytes needed, 30,000 allowed (6,864 too many)
// ALONE-NEXT: note: alive there (36,864 bytes): Conv_0.0 34,816, Conv_0.1.0.exchange 2,048

// Inputs and outputs of two frames.
// FRAMES: error: [{{.*}}] the buffers whose pool is L2 do not fit it: 262,144 bytes needed, 200,000 allowed (62,144 too many)
// FRAMES-NEXT: note: alive there (262,144 bytes for 2 frames): x 65,536, Conv_1 65,536
// FRAMES-NEXT: note: set io_memory_pool or workspace_memory_pool to global.ddr, or raise l2_constraint or resources_used

// LISTS: error: the task list does not fit l2: 4,194,304 bytes are reserved for it, 3,000,000 allowed
// LISTS-NEXT: note: lower l2_size_reserved_tasklist, or let stream_tasklist be true

// MODE: error: {{.*}}multicore-mode
