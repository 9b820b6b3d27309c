// An input that nothing reads keeps its place, on the first core, which may have nothing else to do; and it counts.
// RUN: ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=cooperative}' | filecheck %s
// RUN: not ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=cooperative io-memory-pool=global.l2 l2-constraint=4095}' 2>&1 | filecheck %s --check-prefix SMALL

axq.graph @main(%unread: tensor<1x64x8x8x!axq.q<0.5 : 0>> "unread", %x: tensor<1x1x1x1x!axq.q<0.5 : 0>> "x") -> ("y") {
  %y = axq.map %x epilogue <relu> : tensor<1x1x1x1x!axq.q<0.5 : 0>> -> tensor<1x1x1x1x!axq.q<0.5 : 0>> loc("y")
  axq.return %y : tensor<1x1x1x1x!axq.q<0.5 : 0>>
}

// CHECK: %[[U:.*]] = aipu.buffer "unread" bytes 4096
// CHECK: aipu.input "unread" %[[U]][0]

// SMALL: error: the program does not fit l2: 4,160 bytes needed, 4,095 allowed (65 too many)
// SMALL-NEXT: note: alive there (4,160 bytes): unread 4,096, x 64
// SMALL-NEXT: note: raise l2_constraint or resources_used
