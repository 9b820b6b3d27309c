// RUN: ax-opt %s -p 'lower-to-aipu{aipu_cores_used=2 multicore_mode=cooperative}' | filecheck %s
// RUN: ax-opt %s -p 'lower-to-aipu{aipu_cores_used=2 multicore_mode=cooperative},plan-memory' -o %t

// Core 1 reads an output of the network that core 0 writes, and core 0 needs for that what core 1 sends: the copy to
// core 1 must not come before the sending, however early copies may be.

// CHECK: aipu.buffer "map_2.3.0.exchange"
// CHECK-LABEL: aipu.core 1
// CHECK: aipu.dma on dma1({{.*}} layer 3
// CHECK-NEXT: aipu.dma on dma0({{.*}} layer 5

axq.graph @main(%0: tensor<1x3x1x1x!axq.q<0.003 : 0>> "x0", %1: tensor<1x1x1x2x!axq.q<0.003 : 0>> "x1") -> ("y0", "y1") {
  %2 = axq.map %1 : tensor<1x1x1x2x!axq.q<0.003 : 0>> -> tensor<1x1x1x2x!axq.q<0.003 : 1>>
  %3 = axq.reshape %1 shape [1, 1, 1, 2] : tensor<1x1x1x2x!axq.q<0.003 : 0>> -> tensor<1x1x1x2x!axq.q<0.003 : 0>>
  %4 = axq.map %2 : tensor<1x1x1x2x!axq.q<0.003 : 1>> -> tensor<1x1x1x2x!axq.q<0.003 : 0>>
  %5 = axq.matmul %1, %4 heads 1 transpose true factor 1.000000e+00 : (tensor<1x1x1x2x!axq.q<0.003 : 0>>, tensor<1x1x1x2x!axq.q<0.003 : 0>>) -> tensor<1x2x1x2x!axq.q<0.003 : 1>>
  %6 = axq.map %5 : tensor<1x2x1x2x!axq.q<0.003 : 1>> -> tensor<1x2x1x2x!axq.q<0.003 : 0>>
  %7 = axq.matmul %5, %6 heads 1 transpose false factor 1.000000e+00 : (tensor<1x2x1x2x!axq.q<0.003 : 1>>, tensor<1x2x1x2x!axq.q<0.003 : 0>>) -> tensor<1x2x1x2x!axq.q<0.003 : 0>>
  axq.return %7, %5 : tensor<1x2x1x2x!axq.q<0.003 : 0>>, tensor<1x2x1x2x!axq.q<0.003 : 1>>
}
