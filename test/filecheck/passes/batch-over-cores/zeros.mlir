// RUN: ax-opt %s -p 'batch-over-cores{aipu-cores-used=2 multicore-mode=batch}' | filecheck %s

// Zeros that a core puts its activations into are not copied to both cores at once: the copy on core 0 could come after
// those of core 1.
// CHECK:      aipu.core 0 {
// CHECK-NEXT:   aipu.dma on dma0(src = ddr %[[W:.*]][0], dst = l1 %{{.*}}[0]) {row_bytes = 64, cores = 3} layer 0
// CHECK-NEXT:   aipu.dma on dma0(src = ddr %[[Z:.*]][0], dst = l1 %[[A:.*]][0]) {row_bytes = 64} layer 0
// CHECK-NEXT:   aipu.dma on dma0(src = l2 %{{.*}}[0], dst = l1 %[[A]][0]) {row_bytes = 1} layer 0
// CHECK:      aipu.core 1 {
// CHECK-NEXT:   aipu.dma on dma0(src = ddr %[[Z]][0], dst = l1 %[[A]][0]) {row_bytes = 64} layer 0
// CHECK-NEXT:   aipu.dma on dma0(src = l2 %{{.*}}[0], dst = l1 %[[A]][0]) {row_bytes = 1} layer 0
aipu.program "main" target "metis" layers [#aipu.layer<"x", "layout", "dma", 0>] {
  %w = aipu.buffer "w" bytes 64 data dense<1> : tensor<64xi8> : !aipu.buffer<ddr>
  %z = aipu.buffer "zeros" bytes 64 data dense<0> : tensor<64xi8> : !aipu.buffer<ddr>
  %x = aipu.buffer "x" bytes 64 : !aipu.buffer<l2>
  %y = aipu.buffer "y" bytes 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 64 : !aipu.buffer<l1>
  aipu.input "in" %x[0] layout <dense> tensor tensor<1x1x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  aipu.output "out" %y[0] layout <rows 64, pixels 64, channels [1 at 0]> tensor tensor<1x1x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  aipu.code core 0 on "dma0" in "ddr"
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = ddr %w[0], dst = l1 %b[0]) {row_bytes = 64} layer 0
    %1 = aipu.dma on dma0(src = ddr %z[0], dst = l1 %a[0]) {row_bytes = 64} layer 0
    %2 = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 1} layer 0
    %3 = aipu.dma on dma0(src = l1 %a[0], dst = l2 %y[0]) {row_bytes = 64} layer 0
  }
}
