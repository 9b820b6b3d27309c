// One buffer a memory and one a constant, one wait for each other unit, a canonical order, locations from layers.
// RUN: ax-opt %s -p resolve-addresses --print-debuginfo | filecheck %s
// RUN: ax-opt %s -p resolve-addresses,resolve-addresses --print-debuginfo | filecheck %s

// CHECK: aipu.program "main" target "metis" layers [#aipu.layer<"a", "conv", "array", 64>, #aipu.layer<"b", "conv", "array", 0>] attributes {bound = {array = 12 : i64}} {
aipu.program "main" target "metis" layers [#aipu.layer<"a", "conv", "array", 64>, #aipu.layer<"b", "conv", "array", 0>] attributes {bound = {array = 12 : i64}} {
  // The program needs 3072 bytes of L2, though nothing is in the last ones.
  // CHECK-NEXT: %l1 = aipu.buffer "l1" bytes 1280 at 0 : !aipu.buffer<l1>
  // CHECK-NEXT: %l2 = aipu.buffer "l2" bytes 3072 at 0 : !aipu.buffer<l2>
  // CHECK-NEXT: %[[EARLY:.*]] = aipu.buffer "early" bytes 64 at 0 data dense<-1> : tensor<64xi8> : !aipu.buffer<l2>
  // CHECK-NEXT: %[[LATE:.*]] = aipu.buffer "late" bytes 128 at 2048 data #ax.weight<"{{.*}}", tensor<128xi8>> : !aipu.buffer<l2>
  // Only constants are in DDR.
  // CHECK-NEXT: %[[FAR:.*]] = aipu.buffer "far" bytes 64 at 0 data dense<1> : tensor<64xi8> : !aipu.buffer<ddr>
  %unused = aipu.buffer "unused" bytes 64 at 3008 : !aipu.buffer<l2>
  %x = aipu.buffer "x" bytes 640 at 64 : !aipu.buffer<l2>
  %y = aipu.buffer "y" bytes 640 at 704 : !aipu.buffer<l2>
  %late = aipu.buffer "late" bytes 128 at 2048 data dense<7> : tensor<128xi8> : !aipu.buffer<l2>
  %early = aipu.buffer "early" bytes 64 at 0 data dense<-1> : tensor<64xi8> : !aipu.buffer<l2>
  %far = aipu.buffer "far" bytes 64 at 0 data dense<1> : tensor<64xi8> : !aipu.buffer<ddr>
  %a = aipu.buffer "a" bytes 640 at 0 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 640 at 640 : !aipu.buffer<l1>
  // CHECK-NEXT: aipu.input "in" %l2[64] layout <rows 640, pixels 64, channels [3 at 0]>
  aipu.input "in" %x[0] layout <rows 640, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x10x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  // CHECK-NEXT: aipu.output "out" %l2[704] layout
  aipu.output "out" %y[0] layout <rows 640, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x10x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  // Descriptors keep their place; at the end of a memory, no buffer is needed to tell its size.
  // CHECK-NEXT: aipu.code core 0 on "dma0" in "ddr" at 4096 preload
  // CHECK-NEXT: aipu.code core 0 on "depthwise" in "l2" at 2560
  aipu.code core 0 on "dma0" in "ddr" at 4096 preload
  aipu.code core 0 on "depthwise" in "l2" at 2560
  // CHECK-NEXT: aipu.core 0 {
  aipu.core 0 {
    // CHECK-NEXT: %dma0.0 = aipu.dma on dma0(src = l2 %l2[64], dst = l1 %l1[0]) {row_bytes = 640} layer 0 loc("a")
    // CHECK-NEXT: %dma1.0 = aipu.dma on dma1(src = ddr %[[FAR]][0], dst = l1 %l1[640]) {row_bytes = 64} layer 1 loc("b")
    // CHECK-NEXT: %dma0.1 = aipu.dma on dma0(src = l2 %[[LATE]][64], dst = l1 %l1[64]) {row_bytes = 64} layer 0 after(%dma1.0) loc("a")
    // CHECK-NEXT: %depthwise.0 = aipu.vec on depthwise(src = l1 %l1[0], out = l1 %l1[704]) {{{.*}}} layer 1 after(%dma0.1, %dma1.0) loc("b")
    // CHECK-NEXT: %dma1.1 = aipu.dma on dma1(src = l1 %l1[640], dst = l2 %l2[704]) {row_bytes = 640} layer 1 after(%dma0.1, %depthwise.0) loc("b")
    // CHECK-NEXT: }
    %0 = aipu.dma on dma1(src = ddr %far[0], dst = l1 %b[0]) {row_bytes = 64} layer 1
    %1 = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 640} layer 0
    %2 = aipu.dma on dma0(src = l2 %late[64], dst = l1 %a[64]) {row_bytes = 64} layer 0 after(%0, %1)
    %3 = aipu.vec on depthwise(src = l1 %a[0], out = l1 %b[64]) {src_rows = 1, row_bytes = 576, row_pitch = 576, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 9, out_pitch = 64, pixels = 9} layer 1 after(%1, %2, %0)
    %4 = aipu.dma on dma1(src = l1 %b[0], dst = l2 %y[0]) {row_bytes = 640} layer 1 after(%3, %2, %0)
  }
}
