// What settings of layout, constants and vector programs make of one network.
// RUN: ax-opt %s -p lower-to-aipu | filecheck %s
// RUN: ax-opt %s -p 'lower-to-aipu{remove-io-padding-and-layout-transform=false}' | filecheck %s --check-prefix DENSE
// RUN: ax-opt %s -p 'lower-to-aipu{rewrite-concat-to-resadd=false}' | filecheck %s --check-prefix COPIED
// RUN: ax-opt %s -p 'lower-to-aipu{group-ifdw-tasks=true}' | filecheck %s --check-prefix GROUP
// RUN: ax-opt %s -p 'lower-to-aipu{dpu-constants-home=global.ddr}' | filecheck %s --check-prefix HOME
// RUN: ax-opt %s -p 'lower-to-aipu{dpu-allocation-algorithm=lazy}' | filecheck %s --check-prefix LAZY

axq.graph @main(%x: tensor<1x8x4x3x!axq.q<0.5 : 3>> "x", %e: tensor<1x8x4x3x!axq.q<0.5 : 3>> "e") -> ("y") {
  %a = axq.conv %x weight dense<1> : tensor<8x8x1x1xi8> scale dense<0.5> : tensor<8xf32> bias dense<0> : tensor<8xi32>
    strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <add, mul> extras %x, %e
    : tensor<1x8x4x3x!axq.q<0.5 : 3>>, tensor<1x8x4x3x!axq.q<0.5 : 3>>
    : tensor<1x8x4x3x!axq.q<0.5 : 3>> -> tensor<1x8x4x3x!axq.q<0.5 : 3>>
  %b = axq.conv %a weight dense<1> : tensor<8x8x1x1xi8> scale dense<0.5> : tensor<8xf32> bias dense<0> : tensor<8xi32>
    strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : tensor<1x8x4x3x!axq.q<0.5 : 3>> -> tensor<1x8x4x3x!axq.q<0.5 : 3>>
  %y = axq.concat %a, %b axis 1
    : (tensor<1x8x4x3x!axq.q<0.5 : 3>>, tensor<1x8x4x3x!axq.q<0.5 : 3>>) -> tensor<1x16x4x3x!axq.q<0.5 : 3>>
  axq.return %y : tensor<1x16x4x3x!axq.q<0.5 : 3>>
}

// CHECK: aipu.program "main" target "metis" layers [#aipu.layer<"{{[^"]*}}", "conv", "array", 768>, #aipu.layer<"{{[^"]*}}", "conv", "array", 768>]
// CHECK: bytes 4608 data #ax.weight<{{.*}}> : !aipu.buffer<l2>
// CHECK: aipu.input "x" {{.*}} layout <rows 192, pixels 64, channels [8 at 0]>
// CHECK: aipu.output "y" {{.*}} layout <rows 384, pixels 128, channels [8 at 0, 8 at 64]>
// CHECK: steps = [load r1 0, add r0 r1, load r1 1, mul r0 r1]

// The device pads and reorders: zeros all over the pixels, then the elements byte by byte.
// DENSE: layers [#aipu.layer<"x", "layout", "dma", 0>, #aipu.layer<"e", "layout", "dma", 0>, {{.*}}, #aipu.layer<"y", "layout", "dma", 0>]
// DENSE: %[[ZEROS:[0-9]+]] = aipu.buffer "zeros" bytes 64 data dense<0> : tensor<64xi8> : !aipu.buffer<l2>
// DENSE: %[[PADDED:[0-9]+]] = aipu.buffer "x.layout" bytes 768 : !aipu.buffer<l1>
// DENSE: %[[X:[0-9]+]] = aipu.buffer "x" bytes 128 : !aipu.buffer<l2>
// DENSE: %[[Y:[0-9]+]] = aipu.buffer "y" bytes 192 : !aipu.buffer<l2>
// DENSE: aipu.input "x" %[[X]][0] layout <dense> tensor tensor<1x8x4x3x!axq.q<0.5 : 3>>
// DENSE: aipu.output "y" %[[Y]][0] layout <dense> tensor tensor<1x16x4x3x!axq.q<0.5 : 3>>
// DENSE: aipu.dma on dma0(src = l2 %[[ZEROS]][0], dst = l1 %[[PADDED]][0]) {row_bytes = 64, count0 = 12, dst_step0 = 64} layer 0
// DENSE-NEXT: aipu.dma on dma0(src = l2 %[[X]][0], dst = l1 %[[PADDED]][0]) {row_bytes = 1, count0 = 12, count1 = 8, src_step0 = 1, src_step1 = 12, dst_step0 = 64, dst_step1 = 1} layer 0
// DENSE: dst = l2 %[[Y]][0]) {row_bytes = 1, count0 = 12, count1 = 8, src_step0 = 128, src_step1 = 1, dst_step0 = 1, dst_step1 = 12}
// DENSE-NEXT: dst = l2 %[[Y]][96]) {row_bytes = 1, count0 = 12, count1 = 8, src_step0 = 128, src_step1 = 1, dst_step0 = 1, dst_step1 = 12}

// COPIED: "concat", "dma", 0>, #aipu.layer<"{{[^"]*}}", "concat", "dma", 0>]
// COPIED: dst = l2 %[[Y:[0-9]+]][0]) {row_bytes = 64, count0 = 3, count1 = 4, src_step0 = 64, src_step1 = 192, dst_step0 = 128, dst_step1 = 384} layer 2
// COPIED-NEXT: dst = l2 %[[Y]][64]) {row_bytes = 64, count0 = 3, count1 = 4, src_step0 = 64, src_step1 = 192, dst_step0 = 128, dst_step1 = 384} layer 3

// One transfer, both loads, then the work: parameter blocks first (512 bytes a layer), then weights.
// GROUP: %[[ALL:[0-9]+]] = aipu.buffer "{{.*}}.group.constants" bytes 9216 data {{.*}} : !aipu.buffer<l2>
// GROUP: %[[L1:[0-9]+]] = aipu.buffer "{{.*}}.group.constants.l1" bytes 9216 : !aipu.buffer<l1>
// GROUP: aipu.dma on dma0(src = l2 %[[ALL]][0], dst = l1 %[[L1]][0]) {row_bytes = 9216} layer 0
// GROUP: aipu.load on load(src = l1 %[[L1]][1024]) {row = 0, segment_rows = 64, columns = 64} layer 0
// GROUP-NEXT: aipu.load on load(src = l1 %[[L1]][5120]) {row = 512, segment_rows = 64, columns = 64} layer 1
// GROUP-NEXT: aipu.mvm on array({{.*}} params = l1 %[[L1]][0], {{.*}} row = 0,
// GROUP: aipu.mvm on array({{.*}} params = l1 %[[L1]][512], {{.*}} row = 512,

// HOME: %[[P:[0-9]+]] = aipu.buffer "{{.*}}.parameters" bytes 512 data {{.*}} : !aipu.buffer<ddr>
// HOME: %[[W:[0-9]+]] = aipu.buffer "{{.*}}.constants" bytes 4096 data {{.*}} : !aipu.buffer<l2>
// HOME: aipu.dma on dma0(src = ddr %[[P]][0], dst = l1 %[[L1:[0-9]+]][0]) {row_bytes = 512} layer 0
// HOME-NEXT: aipu.dma on dma0(src = l2 %[[W]][0], dst = l1 %[[L1]][512]) {row_bytes = 4096} layer 0

// LAZY: steps = [load r1 0, add r0 r1, load r2 1, mul r0 r2]
