// Every operation of the device dialect prints as it is written and parses again.
// RUN: ax-opt %s | ax-opt | filecheck %s
// RUN: ax-opt %s --print-debuginfo | ax-opt --print-debuginfo | filecheck %s --check-prefix LOC

// The mode of one core goes without saying.
// CHECK: aipu.program "empty" target "metis" layers [] {
// CHECK-NEXT: ^bb0:
// CHECK-NEXT: }
aipu.program "empty" target "metis" mode "single" layers [] {
^bb0:
}

// CHECK: aipu.program "main" target "metis" layers [#aipu.layer<"Conv \220\22", "conv", "array", 1152>, #aipu.layer<"pool", "max_pool", "depthwise", 0>] attributes {bound = {array = 3 : i64}} {
aipu.program "main" target "metis" layers [#aipu.layer<"Conv \"0\"", "conv", "array", 1152>, #aipu.layer<"pool", "max_pool", "depthwise", 0>] attributes {bound = {array = 3 : i64}} {
  // CHECK-NEXT: %c = aipu.buffer "constants" bytes 128 at 64 data dense<1> : tensor<128xi8> : !aipu.buffer<l2>
  %c = aipu.buffer "constants" bytes 128 at 64 data dense<1> : tensor<128xi8> : !aipu.buffer<l2>
  // CHECK-NEXT: %k = aipu.buffer "key" bytes 4096 data #ax.weight<"00112233445566778899aabbccddeeff", tensor<4096xi8>> : !aipu.buffer<ddr>
  %k = aipu.buffer "key" bytes 4096 data #ax.weight<"00112233445566778899aabbccddeeff", tensor<4096xi8>> : !aipu.buffer<ddr>
  // CHECK-NEXT: %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l2>
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l2>
  // CHECK-NEXT: %y = aipu.buffer "y" bytes 4096 at 0 {note = 1 : i64} : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 at 0 {note = 1 : i64} : !aipu.buffer<l1>
  // Channels 0 to 7 lie in the first pword of a pixel, 8 to 10 in the second.
  // CHECK-NEXT: aipu.input "x" %x[0] layout <rows 1024, pixels 128, channels [8 at 0, 3 at 64]> tensor tensor<1x11x4x8x!axq.q<0.5 : -3>> : !aipu.buffer<l2>
  aipu.input "x" %x[0] layout <rows 1024, pixels 128, channels [8 at 0, 3 at 64]> tensor tensor<1x11x4x8x!axq.q<0.5 : -3>> : !aipu.buffer<l2>
  // CHECK-NEXT: aipu.output "y" %y[64] layout <rows 64, pixels 4, channels [3 at 0]> tensor tensor<1x3x4x8x!axq.q<0.5 : -3>> : !aipu.buffer<l1>
  aipu.output "y" %y[64] layout <rows 64, pixels 4, channels [3 at 0]> tensor tensor<1x3x4x8x!axq.q<0.5 : -3>> : !aipu.buffer<l1>
  // The tensor as it stands, in order NCHW.
  // CHECK-NEXT: aipu.output "z" %y[256] layout <dense> tensor tensor<1x3x4x7x!axq.q<0.5 : -3>> : !aipu.buffer<l1>
  aipu.output "z" %y[256] layout <dense> tensor tensor<1x3x4x7x!axq.q<0.5 : -3>> : !aipu.buffer<l1>
  // CHECK-NEXT: aipu.core 0 {
  aipu.core 0 {
    // Copies go from any byte to any byte.
    // CHECK-NEXT: %bytes = aipu.dma on dma1(src = l2 %x[3], dst = l1 %y[1]) {row_bytes = 1, count0 = 7, src_step0 = 4, dst_step0 = 1} layer 0
    %bytes = aipu.dma on dma1(src = l2 %x[3], dst = l1 %y[1]) {row_bytes = 1, count0 = 7, src_step0 = 4, dst_step0 = 1} layer 0
    // Fields with their default are left out.
    // CHECK-NEXT: %dma = aipu.dma on dma0(src = l2 %x[64], dst = l1 %y[0]) {row_bytes = 64} layer 0
    %dma = aipu.dma on dma0(src = l2 %x[64], dst = l1 %y[0]) {row_bytes = 64, count0 = 1, src_step0 = 0} layer 0 loc("Conv 0"("net.onnx":0:0))
    // CHECK-NEXT: %walk = aipu.dma on dma1(src = ddr %k[0], dst = l1 %y[0]) {row_bytes = 64, count0 = 2, count1 = 3, count2 = 4, src_step0 = 128, src_step1 = 256, src_step2 = 1024, dst_step0 = 64, dst_step1 = 128, dst_step2 = 384} layer 0
    %walk = aipu.dma on dma1(src = ddr %k[0], dst = l1 %y[0]) {row_bytes = 64, count0 = 2, count1 = 3, count2 = 4, src_step0 = 128, src_step1 = 256, src_step2 = 1024, dst_step0 = 64, dst_step1 = 128, dst_step2 = 384} layer 0
    // CHECK-NEXT: %load = aipu.load on load(src = l1 %y[0]) {row = 4, segment_rows = 12, segments = 3, segment_step = 64, replicas = 4, replica_step = 4, block = 1, columns = 64, clear = 1} layer 0 after(%dma, %walk)
    %load = aipu.load on load(src = l1 %y[0]) {row = 4, segment_rows = 12, segments = 3, segment_step = 64, replicas = 4, replica_step = 4, block = 1, columns = 64, clear = 1} layer 0 after(%dma, %walk)
    // CHECK-NEXT: %mvm = aipu.mvm on array(src = l1 %y[0], params = l1 %y[64], operand0 = l1 %y[128], operand1 = l1 %y[192], out = l1 %y[256]) {src_rows = 4, row_bytes = 512, row_pitch = 512, y0 = -1, x0 = -64, y_step = 2, x_step = 128, tap_rows = 3, tap_columns = 3, tap_row_step = 2, tap_step = 64, blocks = 2, pad = -3, rows = 2, vectors = 4, parameters = 4, bias = lane 0, scale = lane 1, steps = [load r1 0, add r0 r1, mul r0 0.5, min r0 6.0, prelu r0 lane 3, load r1 1], operand0_row_pitch = 512, operand0_pitch = 64, operand0_zero = -7, operand0_scale = lane 2, operand1_zero = lane 1, operand1_scale = 0.25, inverse = 4.0, zero_point = -128, lower = -100, upper = 100, out_row_pitch = 512, out_pitch = 64, pixels = 7, row = 512, matrix_rows = 256, slot = 3, block = 2, columns = 2, replicas = 2} layer 0 after(%load)
    %mvm = aipu.mvm on array(src = l1 %y[0], params = l1 %y[64], operand0 = l1 %y[128], operand1 = l1 %y[192], out = l1 %y[256]) {src_rows = 4, row_bytes = 512, row_pitch = 512, y0 = -1, x0 = -64, y_step = 2, x_step = 128, tap_rows = 3, tap_columns = 3, tap_row_step = 2, tap_step = 64, blocks = 2, pad = -3, rows = 2, vectors = 4, parameters = 4, bias = lane 0, scale = lane 1, steps = [load r1 0, add r0 r1, mul r0 0.5, min r0 6.0, prelu r0 lane 3, load r1 1], operand0_row_pitch = 512, operand0_pitch = 64, operand0_zero = -7, operand0_scale = lane 2, operand1_zero = lane 1, operand1_scale = 0.25, inverse = 4.0, zero_point = -128, lower = -100, upper = 100, out_row_pitch = 512, out_pitch = 64, pixels = 7, row = 512, matrix_rows = 256, slot = 3, block = 2, columns = 2, replicas = 2} layer 0 after(%load)
    // CHECK-NEXT: %part = aipu.mvm on array(src = l1 %y[0], partial_in = l1 %y[0], partial_out = l1 %y[64]) {src_rows = 4, row_bytes = 512, row_pitch = 512, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, row = 0, matrix_rows = 64, columns = 1} layer 0
    %part = aipu.mvm on array(src = l1 %y[0], partial_in = l1 %y[0], partial_out = l1 %y[64]) {src_rows = 4, row_bytes = 512, row_pitch = 512, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, row = 0, matrix_rows = 64, columns = 1} layer 0
    // CHECK-NEXT: %dw = aipu.depthwise on depthwise(src = l1 %y[0], out = l1 %y[0], weights = l1 %y[64]) {src_rows = 4, row_bytes = 512, row_pitch = 512, y0 = 0, x0 = 0, x_step = 64, tap_rows = 2, tap_columns = 2, tap_step = 64, blocks = 1, rows = 1, vectors = 4, lower = 0, upper = 12, pixels = 4, mode = mac} layer 1
    %dw = aipu.depthwise on depthwise(src = l1 %y[0], out = l1 %y[0], weights = l1 %y[64]) {src_rows = 4, row_bytes = 512, row_pitch = 512, y0 = 0, x0 = 0, x_step = 64, tap_rows = 2, tap_columns = 2, tap_step = 64, blocks = 1, rows = 1, vectors = 4, lower = 0, upper = 12, pixels = 4, mode = mac} layer 1
    // CHECK-NEXT: %max = aipu.depthwise on depthwise(src = l1 %y[0], out = l1 %y[0]) {src_rows = 4, row_bytes = 512, row_pitch = 512, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, mode = max} layer 1
    %max = aipu.depthwise on depthwise(src = l1 %y[0], out = l1 %y[0]) {src_rows = 4, row_bytes = 512, row_pitch = 512, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, mode = max} layer 1
    // CHECK-NEXT: %sum = aipu.depthwise on depthwise(src = l1 %y[0], params = l1 %y[0], table = l1 %y[0], out = l1 %y[0]) {src_rows = 4, row_bytes = 512, row_pitch = 512, y0 = 0, x0 = 0, x_step = 64, tap_rows = 3, tap_columns = 3, tap_step = 64, blocks = 1, rows = 1, vectors = 1, parameters = 2, steps = [taps r0, max r0 lane 1, table r0, add r0 r0], mode = sum, pad_lane = 0} layer 1
    %sum = aipu.depthwise on depthwise(src = l1 %y[0], params = l1 %y[0], table = l1 %y[0], out = l1 %y[0]) {src_rows = 4, row_bytes = 512, row_pitch = 512, y0 = 0, x0 = 0, x_step = 64, tap_rows = 3, tap_columns = 3, tap_step = 64, blocks = 1, rows = 1, vectors = 1, parameters = 2, steps = [taps r0, max r0 lane 1, table r0, add r0 r0], mode = sum, pad_lane = 0} layer 1
    // Numbers become binary32.
    // CHECK-NEXT: %vec = aipu.vec on depthwise(src = l1 %y[0], table = l1 %y[0], out = l1 %y[0]) {src_rows = 4, row_bytes = 512, row_pitch = 512, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, scale = 0.10000000149011612, steps = [table r0]} layer 1 after(%dw) {note}
    %vec = aipu.vec on depthwise(src = l1 %y[0], table = l1 %y[0], out = l1 %y[0]) {src_rows = 4, row_bytes = 512, row_pitch = 512, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, scale = 0.1, steps = [table r0]} layer 1 after(%dw) {note}
    // CHECK-NEXT: %turned = aipu.load_pixels on load(src = l1 %y[32]) {pitch = 128, pixels = 70, channels = 32, row = 64, block = 2, transpose = 1} layer 1
    %turned = aipu.load_pixels on load(src = l1 %y[32]) {pitch = 128, pixels = 70, channels = 32, row = 64, block = 2, transpose = 1} layer 1
    // CHECK-NEXT: %norm = aipu.normalize on depthwise(src = l1 %y[0], params = l1 %y[2048], out = l1 %y[1024]) {row_pitch = 256, pitch = 128, rows = 4, pixels = 2, channels = 70, group = 7, spatial = 1, zero = -3, epsilon = 0.5, inverse = 16.0, zero_point = 2, out_row_pitch = 384, out_pitch = 192} layer 1
    %norm = aipu.normalize on depthwise(src = l1 %y[0], params = l1 %y[2048], out = l1 %y[1024]) {row_pitch = 256, pitch = 128, rows = 4, pixels = 2, channels = 70, group = 7, spatial = 1, zero = -3, epsilon = 0.5, inverse = 16.0, zero_point = 2, out_row_pitch = 384, out_pitch = 192} layer 1
    // CHECK-NEXT: %soft = aipu.softmax on depthwise(src = l1 %y[0], table = l1 %y[0], out = l1 %y[1024]) {row_pitch = 256, pitch = 128, rows = 4, pixels = 2, channels = 70, zero = -3, scale = 0.10000000149011612, neutral = -100000.0, inverse = 256.0, zero_point = -128, out_row_pitch = 384, out_pitch = 192} layer 1
    %soft = aipu.softmax on depthwise(src = l1 %y[0], table = l1 %y[0], out = l1 %y[1024]) {row_pitch = 256, pitch = 128, rows = 4, pixels = 2, channels = 70, zero = -3, scale = 0.1, neutral = -100000.0, inverse = 256.0, zero_point = -128, out_row_pitch = 384, out_pitch = 192} layer 1
    // CHECK-NEXT: %move = aipu.vec on depthwise(src = l1 %y[0], out = l1 %y[0]) {src_rows = 4, row_bytes = 512, row_pitch = 512, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, steps = [move r3 r0, max r0 0.0, mul r3 r0, move r0 r3]} layer 1
    %move = aipu.vec on depthwise(src = l1 %y[0], out = l1 %y[0]) {src_rows = 4, row_bytes = 512, row_pitch = 512, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, steps = [move r3 r0, max r0 0.0, mul r3 r0, move r0 r3]} layer 1
  }
  // CHECK: aipu.core 1 {
  aipu.core 1 {
  ^bb0:
  }
}

// LOC: aipu.dma on dma0({{.*}}) {row_bytes = 64} layer 0 loc("Conv 0"("net.onnx":0:0))
// LOC: aipu.load {{.*}} after(%dma, %walk) loc("{{.*}}ops.mlir":{{[0-9]+}}:5)

// CHECK: aipu.program "count" target "metis" layers [] attributes {reached = #aipu.count<core 1 array 12>} {
aipu.program "count" target "metis" layers [] attributes {reached = #aipu.count<core 1 array 12>} {
^bb0:
}
