// Dense ports over several cores: one core converts all of it, whatever pwords its channels are in. The four heads of
// the product lie in four pwords, the dense output has one row of four bytes.
// RUN: ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=pipeline remove-io-padding-and-layout-transform=false}' | filecheck %s
// RUN: ax-opt %s -p 'lower-to-aipu{aipu-cores-used=2 multicore-mode=cooperative remove-io-padding-and-layout-transform=false}' | filecheck %s

axq.graph @main(%q: tensor<1x4x1x1x!axq.q<0.5 : 0>> "q", %k: tensor<1x4x1x1x!axq.q<0.5 : 0>> "k") -> ("y") {
  %a = axq.matmul %q, %k heads 4 transpose true factor 1.0
    : (tensor<1x4x1x1x!axq.q<0.5 : 0>>, tensor<1x4x1x1x!axq.q<0.5 : 0>>) -> tensor<1x1x4x1x!axq.q<0.5 : 0>> loc("a")
  %y = axq.matmul %a, %k heads 4 transpose false factor 1.0
    : (tensor<1x1x4x1x!axq.q<0.5 : 0>>, tensor<1x4x1x1x!axq.q<0.5 : 0>>) -> tensor<1x4x1x1x!axq.q<0.5 : 0>> loc("y")
  axq.return %y : tensor<1x4x1x1x!axq.q<0.5 : 0>>
}

// CHECK: aipu.output "y" %[[Y:[0-9]+]][0] layout <dense>
// CHECK: aipu.dma on dma1(src = l1 %[[T:[0-9]+]][0], dst = l2 %[[Y]][0]) {row_bytes = 1} layer 6
// CHECK-NEXT: aipu.dma on dma1(src = l1 %[[T]][64], dst = l2 %[[Y]][1]) {row_bytes = 1} layer 6
// CHECK-NEXT: aipu.dma on dma1(src = l1 %[[T]][128], dst = l2 %[[Y]][2]) {row_bytes = 1} layer 6
// CHECK-NEXT: aipu.dma on dma1(src = l1 %[[T]][192], dst = l2 %[[Y]][3]) {row_bytes = 1} layer 6
