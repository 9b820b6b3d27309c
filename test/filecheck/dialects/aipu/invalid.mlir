// What the verifiers and the parser of the device dialect refuse.
// RUN: ax-opt %s --split-input-file --verify-diagnostics

// --- types and attributes

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  // expected-error@below {{no memory 'l3', there are l1, l2, ddr}}
  %b = aipu.buffer "b" bytes 64 : !aipu.buffer<l3>
}

// -----

// expected-error@below {{string literal expected}}
aipu.program "main" target "metis" layers [#aipu.layer<"l", conv, "array", 0>] {
^bb0:
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 64 : !aipu.buffer<l1>
  // expected-error@below {{Expected 'at'}}
  aipu.input "x" %x[0] layout <rows 64, pixels 64, channels [3 to 0]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l1>
}

// -----

// --- structure

// expected-error@below {{a program holds buffers, inputs, outputs, code and cores, not 'test.op'}}
aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  "test.op"() : () -> ()
}

// -----

// expected-error@below {{cores must be numbered from 0, they are [0, 2]}}
aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  aipu.core 0 {
  ^bb0:
  }
  aipu.core 2 {
  ^bb0:
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  // expected-error@below {{a core holds tasks, not 'test.op'}}
  aipu.core 0 {
    "test.op"() : () -> ()
  }
}

// -----

// expected-error@below {{'aipu.core' expects parent op 'aipu.program'}}
aipu.core 0 {
^bb0:
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  // expected-error@below {{a task names layer 1, which the program does not list}}
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l1 %x[0], dst = l2 %y[0]) {row_bytes = 64} layer 1
  }
}

// -----

// --- buffers

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  // expected-error@below {{a buffer's size is a positive multiple of 64 bytes, not 100}}
  %b = aipu.buffer "b" bytes 100 : !aipu.buffer<l1>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  // expected-error@below {{a buffer's size is a positive multiple of 64 bytes, not 0}}
  %b = aipu.buffer "b" bytes 0 : !aipu.buffer<l1>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  // expected-error@below {{a buffer's address is a multiple of 64, not 32}}
  %b = aipu.buffer "b" bytes 64 at 32 : !aipu.buffer<l1>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  // expected-error@below {{a buffer's address is a multiple of 64, not -64}}
  %b = aipu.buffer "b" bytes 64 at -64 : !aipu.buffer<l1>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  // expected-error@below {{data of shape [64] does not fill 128 bytes}}
  %b = aipu.buffer "b" bytes 128 data dense<1> : tensor<64xi8> : !aipu.buffer<l1>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  // expected-error@below {{data of shape [8, 8] does not fill 64 bytes}}
  %b = aipu.buffer "b" bytes 64 data dense<1> : tensor<8x8xi8> : !aipu.buffer<l1>
}

// -----

// --- inputs and outputs

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l2>
  // expected-error@below {{a port carries one NCHW sample, not [2, 3, 1, 1]}}
  aipu.input "x" %x[0] layout <rows 64, pixels 64, channels [3 at 0]> tensor tensor<2x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l2>
  // expected-error@below {{a port carries one NCHW sample, not [3]}}
  aipu.output "x" %x[0] layout <rows 64, pixels 64, channels [3 at 0]> tensor tensor<3x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l2>
  // expected-error@below {{the layout places 2 channels, the tensor has the shape [1, 3, 1, 1]}}
  aipu.output "x" %x[0] layout <rows 64, pixels 64, channels [2 at 0]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l2>
  // expected-error@below {{the layout places 0 channels, the tensor has the shape [1, 0, 1, 1]}}
  aipu.output "x" %x[0] layout <rows 64, pixels 64, channels []> tensor tensor<1x0x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l2>
  // expected-error@below {{the layout's channels or pixels overlap}}
  aipu.input "x" %x[0] layout <rows 64, pixels 64, channels [2 at 0, 1 at 1]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l2>
  // expected-error@below {{bytes 0 to 4099 are not in a buffer of 4096 bytes}}
  aipu.input "x" %x[0] layout <rows 4096, pixels 64, channels [3 at 0]> tensor tensor<1x3x2x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l2>
  // expected-error@below {{bytes -64 to -61 are not in a buffer of 4096 bytes}}
  aipu.output "x" %x[-64] layout <rows 64, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l2>
  // expected-error@below {{the layout's channels or pixels overlap}}
  aipu.input "x" %x[0] layout <rows 64, pixels 64, channels [3 at 62]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l2>
  // expected-error@below {{the layout's channels or pixels overlap}}
  aipu.output "x" %x[0] layout <rows 64, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x2x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

// --- tasks: syntax

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{'rows' is no field of dma, or given twice}}
    aipu.dma on dma0(src = l1 %x[0], dst = l2 %y[0]) {rows = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{'row_bytes' is no field of dma, or given twice}}
    aipu.dma on dma0(src = l1 %x[0], dst = l2 %y[0]) {row_bytes = 64, row_bytes = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@+2 {{dma needs row_bytes}}
    aipu.dma on dma0(src = l1 %x[0], dst = l2 %y[0]) {count0 = 2} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@+2 {{dma needs dst}}
    aipu.dma on dma0(src = l1 %x[0]) {row_bytes = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{'row_bytes' is no address of dma, or given twice}}
    aipu.dma on dma0(row_bytes = l1 %x[0]) {row_bytes = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{Expected one of}}
    aipu.dma on dma0(src = l3 %x[0], dst = l2 %y[0]) {row_bytes = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{Expected one of}}
    aipu.vec on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, steps = [root r0]} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{expected a register}}
    aipu.vec on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, steps = [max 0.0]} layer 0
  }
}

// -----

// --- tasks: units, memories, tokens

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{runs on dma0 or dma1 or sysdma, not on 'load'}}
    %0 = aipu.dma on load(src = l1 %x[0], dst = l2 %y[0]) {row_bytes = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{src is in l2, legal are l1}}
    %0 = aipu.load on load(src = l2 %y[0]) {row = 0, segment_rows = 1, columns = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{src has offset 32, legal are multiples of 64 below 2^32}}
    %0 = aipu.load on load(src = l1 %x[32]) {row = 0, segment_rows = 1, columns = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l1 %x[0], dst = l2 %y[0]) {row_bytes = 64} layer 0
  }
  aipu.core 1 {
    %1 = aipu.dma on dma0(src = l1 %x[0], dst = l2 %y[0]) {row_bytes = 64} layer 0 after(%0)
  }
}
// A core cannot name another one's tasks: the region ends their scope.
// expected-error@+2 {{values used but not defined: [%0]}}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{operand #2 is used before it is defined}}
    %1 = aipu.dma on dma0(src = l1 %x[0], dst = l2 %y[0]) {row_bytes = 64} layer 0 after(%2)
    %2 = aipu.dma on dma0(src = l1 %x[0], dst = l2 %y[0]) {row_bytes = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 64 : !aipu.buffer<l2>
  // expected-error@below {{bytes 0 to 65 are not in a buffer of 64 bytes}}
  aipu.input "x" %x[0] layout <dense> tensor tensor<1x5x13x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

// expected-error@+3 {{a pixel has at least one byte}}
aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 64 : !aipu.buffer<l2>
  aipu.input "x" %x[0] layout <rows 64, pixels 0, channels [1 at 0]> tensor tensor<1x1x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

// --- dma and load

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{row_bytes is 0, legal are 1 to 4294967295}}
    %0 = aipu.dma on dma0(src = l1 %x[0], dst = l2 %y[0]) {row_bytes = 0} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{count1 is 0, legal are 1 to 4294967295}}
    %0 = aipu.dma on dma0(src = l1 %x[0], dst = l2 %y[0]) {row_bytes = 64, count1 = 0} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{writes matrix row 2055, there are 2048}}
    %0 = aipu.load on load(src = l1 %x[0]) {row = 2040, segment_rows = 16, columns = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{writes column block 11, there are 8}}
    %0 = aipu.load on load(src = l1 %x[0]) {row = 0, segment_rows = 1, columns = 256, replicas = 3} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{has segments of 16 rows that overlap, 8 apart}}
    %0 = aipu.load on load(src = l1 %x[0]) {row = 0, segment_rows = 16, segments = 2, segment_step = 8, columns = 64} layer 0
  }
}

// -----

// --- mvm

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{walks to pword 2 of a kernel of 1}}
    %0 = aipu.mvm on array(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, row = 0, matrix_rows = 128, columns = 1} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{row is 2000, legal are multiples of 64}}
    %0 = aipu.mvm on array(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, row = 2000, matrix_rows = 64, columns = 1} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{uses matrix row 2111, there are 2048}}
    %0 = aipu.mvm on array(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, tap_rows = 3, tap_columns = 3, blocks = 1, rows = 1, vectors = 1, row = 1536, matrix_rows = 576, columns = 1} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{uses column block 8, there are 8}}
    %0 = aipu.mvm on array(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, row = 0, matrix_rows = 64, block = 7, columns = 2} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{shares 3 column blocks among 2 replicas}}
    %0 = aipu.mvm on array(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, row = 0, matrix_rows = 64, columns = 3, replicas = 2} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{needs out}}
    %0 = aipu.mvm on array(src = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, row = 0, matrix_rows = 64, columns = 1} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{has partial_out and a vector program}}
    %0 = aipu.mvm on array(src = l1 %x[0], out = l1 %x[0], partial_out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, row = 0, matrix_rows = 64, columns = 1} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{has a taps step, which only depthwise has}}
    %0 = aipu.mvm on array(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, steps = [taps r0], row = 0, matrix_rows = 64, columns = 1} layer 0
  }
}

// -----

// --- depthwise and vec

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{needs weights exactly in mode mac}}
    %0 = aipu.depthwise on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, mode = mac} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{needs weights exactly in mode mac}}
    %0 = aipu.depthwise on depthwise(src = l1 %x[0], out = l1 %x[0], weights = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, mode = max} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{mode is min, legal are mac, max, sum}}
    %0 = aipu.depthwise on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, mode = min} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{uses lane 0 of 0 parameters}}
    %0 = aipu.depthwise on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, mode = sum, pad_lane = 0} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{has a window of 3 x 3 taps, legal is one}}
    %0 = aipu.vec on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, tap_rows = 3, tap_columns = 3, blocks = 1, rows = 1, vectors = 1} layer 0
  }
}

// -----

// --- vector programs

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{stores 2 pixels a row but makes 1}}
    %0 = aipu.vec on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, pixels = 2} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{clamps to [1, 0]}}
    %0 = aipu.vec on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, lower = 1, upper = 0} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{lower is -129, legal are -128 to 127}}
    %0 = aipu.vec on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, lower = -129} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{needs params exactly if parameters is not 0}}
    %0 = aipu.vec on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, parameters = 1} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{uses lane 0 of 0 parameters}}
    %0 = aipu.vec on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, scale = lane 0} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{scale names lane 32, legal are 0 to 31}}
    %0 = aipu.vec on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, scale = lane 32} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{needs table exactly if it has a table step}}
    %0 = aipu.vec on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, steps = [table r0]} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{needs table exactly if it has a table step}}
    %0 = aipu.vec on depthwise(src = l1 %x[0], table = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{needs operand0 exactly if it has a load step for it}}
    %0 = aipu.vec on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, steps = [load r1 0]} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{reads r1 before it is written}}
    %0 = aipu.vec on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, steps = [add r0 r1]} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{loads operand 2, there are two}}
    %0 = aipu.vec on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, steps = [load r1 2, add r0 r1]} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{has 7 steps, legal are at most 6}}
    %0 = aipu.vec on depthwise(src = l1 %x[0], out = l1 %x[0]) {src_rows = 1, row_bytes = 64, row_pitch = 64, y0 = 0, x0 = 0, x_step = 64, blocks = 1, rows = 1, vectors = 1, steps = [max r0 0.0, max r0 0.0, max r0 0.0, max r0 0.0, max r0 0.0, max r0 0.0, max r0 0.0]} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{channels is 0, legal are 1 to 65535}}
    %0 = aipu.softmax on depthwise(src = l1 %x[0], table = l1 %x[0], out = l1 %x[0]) {row_pitch = 64, pitch = 64, rows = 1, pixels = 1, channels = 0, scale = 1.0, neutral = -1.0, inverse = 256.0, out_row_pitch = 64, out_pitch = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{out_pitch is 65, legal are multiples of 64}}
    %0 = aipu.softmax on depthwise(src = l1 %x[0], table = l1 %x[0], out = l1 %x[0]) {row_pitch = 64, pitch = 64, rows = 1, pixels = 1, channels = 1, scale = 1.0, neutral = -1.0, inverse = 256.0, out_row_pitch = 64, out_pitch = 65} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  %y = aipu.buffer "y" bytes 4096 : !aipu.buffer<l2>
  aipu.core 0 {
    // expected-error@below {{runs on depthwise, not on 'array'}}
    %0 = aipu.softmax on array(src = l1 %x[0], table = l1 %x[0], out = l1 %x[0]) {row_pitch = 64, pitch = 64, rows = 1, pixels = 1, channels = 1, scale = 1.0, neutral = -1.0, inverse = 256.0, out_row_pitch = 64, out_pitch = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  aipu.core 0 {
    // expected-error@below {{writes column block 8, there are 8}}
    %0 = aipu.load_pixels on load(src = l1 %x[3]) {pitch = 64, pixels = 65, channels = 64, row = 0, block = 7, transpose = 1} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  aipu.core 0 {
    // expected-error@below {{writes matrix row 2111, there are 2048}}
    %0 = aipu.load_pixels on load(src = l1 %x[3]) {pitch = 64, pixels = 65, channels = 64, row = 1984} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  aipu.core 0 {
    // expected-error@below {{pitch is 60, legal are multiples of 64}}
    %0 = aipu.load_pixels on load(src = l1 %x[3]) {pitch = 60, pixels = 1, channels = 1, row = 0} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  aipu.core 0 {
    // expected-error@below {{pixels is 0, legal are 1 to 2048}}
    %0 = aipu.load_pixels on load(src = l1 %x[3]) {pitch = 64, pixels = 0, channels = 1, row = 0} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  aipu.core 0 {
    // expected-error@below {{has 6 channels in groups of 4}}
    %0 = aipu.normalize on depthwise(src = l1 %x[0], params = l1 %x[512], out = l1 %x[1024]) {row_pitch = 64, pitch = 64, rows = 1, pixels = 1, channels = 6, group = 4, epsilon = 1.0, inverse = 1.0, out_row_pitch = 64, out_pitch = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  aipu.core 0 {
    // expected-error@below {{takes statistics of 1050625 values, legal are at most 1048576}}
    %0 = aipu.normalize on depthwise(src = l1 %x[0], params = l1 %x[512], out = l1 %x[1024]) {row_pitch = 64, pitch = 64, rows = 1025, pixels = 1025, channels = 1, group = 1, spatial = 1, epsilon = 1.0, inverse = 1.0, out_row_pitch = 64, out_pitch = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 4096 : !aipu.buffer<l1>
  aipu.core 0 {
    // expected-error@below {{adds epsilon 0.0, legal are positive numbers}}
    %0 = aipu.normalize on depthwise(src = l1 %x[0], params = l1 %x[512], out = l1 %x[1024]) {row_pitch = 64, pitch = 64, rows = 1, pixels = 1, channels = 6, group = 3, epsilon = 0.0, inverse = 1.0, out_row_pitch = 64, out_pitch = 64} layer 0
  }
}

// -----

aipu.program "p" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  // expected-error@below {{expected a single block, but got 0 blocks}}
  aipu.core 0 {
  }
}
