// RUN: ax-opt %s --split-input-file -p 'stage-constants{use-sysdma=true l2-constraint=4096 page-memory=false}' | filecheck %s
// RUN: ax-opt %s --split-input-file -p stage-constants | filecheck %s --check-prefix OFF

// OFF-NOT: sysdma

// The bytes of each copy come to L2 as early as there is room: the first two at once, the third when the second has been
// read. What is in L2 already, and what is copied in rows that are apart, stays.
aipu.program "ahead" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %w = aipu.buffer "w" bytes 8192 data dense<1> : tensor<8192xi8> : !aipu.buffer<ddr>
  %n = aipu.buffer "n" bytes 64 data dense<1> : tensor<64xi8> : !aipu.buffer<l2>
  %r = aipu.buffer "r" bytes 512 data dense<1> : tensor<512xi8> : !aipu.buffer<ddr>
  %a = aipu.buffer "a" bytes 4096 : !aipu.buffer<l1>
  aipu.code core 0 on "dma0" in "ddr"
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %n[0], dst = l1 %a[0]) {row_bytes = 64} layer 0
    %1 = aipu.dma on dma0(src = ddr %w[0], dst = l1 %a[0]) {row_bytes = 512, count0 = 2, src_step0 = 512, dst_step0 = 1024} layer 0
    %2 = aipu.dma on dma0(src = ddr %w[1024], dst = l1 %a[0]) {row_bytes = 2048} layer 0
    %3 = aipu.dma on dma0(src = ddr %w[4096], dst = l1 %a[0]) {row_bytes = 2048} layer 0
    %4 = aipu.dma on dma0(src = ddr %r[0], dst = l1 %a[0]) {row_bytes = 64, count0 = 2, src_step0 = 256} layer 0
  }
}
// CHECK-LABEL: aipu.program "ahead"
// CHECK-DAG: %[[W:.*]] = aipu.buffer "w" bytes 8192 data
// CHECK-DAG: %[[S0:.*]] = aipu.buffer "w.staged" bytes 1024 : !aipu.buffer<l2>
// CHECK: aipu.code core 0 on "dma0" in "ddr"
// CHECK-NEXT: aipu.code core 0 on "sysdma" in "ddr"
// CHECK-NEXT: aipu.core 0 {
// CHECK-NEXT: aipu.dma on sysdma(src = ddr %[[W]][0], dst = l2 %[[S0]][0]) {row_bytes = 1024} layer 0
// CHECK-NEXT: aipu.dma on sysdma(src = ddr %[[W]][1024], dst = l2 %[[S1:.*]][0]) {row_bytes = 2048} layer 0
// CHECK-NEXT: aipu.dma on dma0(src = l2
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[S0]][0], dst = l1 %{{.*}}[0]) {row_bytes = 512, count0 = 2, src_step0 = 512, dst_step0 = 1024} layer 0
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[S1]][0], dst = l1 %{{.*}}[0]) {row_bytes = 2048} layer 0
// CHECK-NEXT: aipu.dma on sysdma(src = ddr %[[W]][4096], dst = l2 %[[S2:.*]][0]) {row_bytes = 2048} layer 0
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[S2]][0]
// CHECK-NEXT: aipu.dma on dma0(src = ddr %{{.*}}[0], dst = l1 %{{.*}}[0]) {row_bytes = 64, count0 = 2, src_step0 = 256} layer 0

// -----

// Constants fill L2: the one that is used last makes room, and comes by the system DMA as well.
aipu.program "full" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %u = aipu.buffer "u" bytes 3072 data dense<1> : tensor<3072xi8> : !aipu.buffer<l2>
  %v = aipu.buffer "v" bytes 1024 data dense<2> : tensor<1024xi8> : !aipu.buffer<l2>
  %w = aipu.buffer "w" bytes 512 data dense<3> : tensor<512xi8> : !aipu.buffer<ddr>
  %a = aipu.buffer "a" bytes 4096 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %u[0], dst = l1 %a[0]) {row_bytes = 3072} layer 0
    %1 = aipu.dma on dma0(src = l2 %v[512], dst = l1 %a[0]) {row_bytes = 512} layer 0
    %2 = aipu.dma on dma0(src = ddr %w[0], dst = l1 %a[0]) {row_bytes = 512} layer 0
  }
}
// CHECK-LABEL: aipu.program "full"
// CHECK: %[[U:.*]] = aipu.buffer "u" bytes 3072 data {{.*}}!aipu.buffer<l2>
// CHECK: %[[V:.*]] = aipu.buffer "v" bytes 1024 data {{.*}}!aipu.buffer<ddr>
// CHECK: aipu.core 0 {
// CHECK-NEXT: aipu.dma on sysdma(src = ddr %[[V]][512], dst = l2 %[[SV:.*]][0]) {row_bytes = 512} layer 0
// CHECK-NEXT: aipu.dma on sysdma(src = ddr %{{.*}}[0], dst = l2 %[[SW:.*]][0]) {row_bytes = 512} layer 0
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[U]][0]
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[SV]][0], dst = l1 %{{.*}}[0]) {row_bytes = 512} layer 0
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[SW]][0]

// -----

// No room: what the host writes fills L2, so copies stay direct.
aipu.program "none" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l2>
  %w = aipu.buffer "w" bytes 512 data dense<3> : tensor<512xi8> : !aipu.buffer<ddr>
  %a = aipu.buffer "a" bytes 4096 : !aipu.buffer<l1>
  aipu.input "x" %x[0] layout <rows 4096, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x10x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 3072} layer 0
    %1 = aipu.dma on dma0(src = ddr %w[0], dst = l1 %a[0]) {row_bytes = 512} layer 0
  }
}
// CHECK-LABEL: aipu.program "none"
// CHECK-NOT: sysdma
// CHECK: aipu.dma on dma0(src = ddr

// -----

// A constant that something else reads stays where it is.
aipu.program "read" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %w = aipu.buffer "w" bytes 512 data dense<3> : tensor<512xi8> : !aipu.buffer<ddr>
  %d = aipu.buffer "d" bytes 512 : !aipu.buffer<ddr>
  %a = aipu.buffer "a" bytes 4096 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = ddr %w[0], dst = l1 %a[0]) {row_bytes = 512} layer 0
    %1 = aipu.dma on dma0(src = ddr %w[0], dst = ddr %d[0]) {row_bytes = 512} layer 0
  }
}
// CHECK-LABEL: aipu.program "read"
// CHECK-NOT: sysdma
// CHECK: aipu.dma on dma0(src = ddr
