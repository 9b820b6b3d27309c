// RUN: ax-opt %s -p lower-to-aipu | filecheck %s
// RUN: ax-opt %s -p 'lower-to-aipu{enable-icr=false enable-swicr=false}' | filecheck %s --check-prefix=PLAIN

// A first layer: sixteen pixels of the input share a pword, one vector holds the windows of four outputs.
axq.graph @main(%x: tensor<1x3x8x8x!axq.q<0.5 : -3>> "image") -> ("y") {
  %y = axq.conv %x weight dense<1> : tensor<16x3x3x3xi8> scale dense<0.25> : tensor<16xf32>
    bias dense<7> : tensor<16xi32> strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 epilogue <relu>
    : tensor<1x3x8x8x!axq.q<0.5 : -3>> -> tensor<1x16x8x8x!axq.q<0.5 : -128>>
  axq.return %y : tensor<1x16x8x8x!axq.q<0.5 : -128>>
}

// CHECK: aipu.program "main" target "metis" layers [#aipu.layer<"conv_0", "conv", "array", 27648>]
// CHECK-NEXT: %[[C:.*]] = aipu.buffer "conv_0.constants" bytes {{[0-9]+}} data
// CHECK-DAG: %[[X:.*]] = aipu.buffer "image" bytes 512 : !aipu.buffer<l2>
// CHECK-DAG: aipu.input "image" %[[X]][0] layout <rows 64, pixels 4, channels [3 at 0]>
// CHECK-DAG: aipu.output "y" %[[Y:.*]][0] layout <rows 512, pixels 64, channels [16 at 0]>
// CHECK: aipu.core 0
// Parameters and weights come in one copy, the input in another; then weights are loaded, vectors streamed, results stored.
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[C]][0], dst = l1 %[[W:.*]][0]) {row_bytes = 2816}
// CHECK-NEXT: aipu.dma on dma0(src = l2 %[[X]][0], dst = l1 %[[T:.*]][0]) {row_bytes = 512}
// CHECK-NEXT: aipu.load on load(src = l1 %[[W]][512]) {row = 0, segment_rows = 12, segments = 3, segment_step = 64, replicas = 4, replica_step = 4, columns = 64, clear = 1}
// CHECK-NEXT: aipu.mvm on array(src = l1 %[[T]][0], params = l1 %{{.*}}[0], out = l1 %[[O:.*]][0])
// CHECK-SAME: y0 = -1, x0 = -4, x_step = {{[0-9]+}}, tap_rows = 3
// CHECK-SAME: pad = -3
// CHECK-SAME: bias = lane 0, scale = lane 1
// relu became a bound of the store: real zero is stored as -128
// CHECK-NOT: steps
// CHECK-SAME: matrix_rows = 192
// CHECK: aipu.dma on dma1(src = l1 %[[O]][0], dst = l2 %[[Y]][0])

// Without replication and sub-word packing every tap is a pword of its own.
// PLAIN: aipu.input "image" %{{.*}}[0] layout <rows 512, pixels 64, channels [3 at 0]>
// PLAIN: aipu.load on load({{.*}}) {row = 0, segment_rows = 576, columns = 64}
// PLAIN: aipu.mvm {{.*}} tap_rows = 3, tap_columns = 3, tap_step = 64, blocks = 1
// PLAIN-SAME: matrix_rows = 576, columns = 1}
