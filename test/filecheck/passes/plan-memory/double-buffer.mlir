// RUN: ax-opt %s -p plan-memory | filecheck %s
// RUN: ax-opt %s -p 'plan-memory{page-memory=false l2-constraint=2048}' | filecheck %s --check-prefix PWORDS
// RUN: ax-opt %s -p 'plan-memory{double-buffer=false l2-constraint=1024}' | filecheck %s --check-prefix SINGLE
// RUN: ax-opt %s -p 'plan-memory{l2-constraint=2047}' | filecheck %s --check-prefix STAGED
// RUN: not ax-opt %s -p 'plan-memory{l2-constraint=2047 ddr-constraint=8191}' 2>&1 | filecheck %s --check-prefix SMALL

aipu.program "main" target "metis" layers [#aipu.layer<"only", "copy", "dma", 0>] {
  %x = aipu.buffer "x" bytes 512 : !aipu.buffer<l2>
  %y = aipu.buffer "y" bytes 512 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 512 : !aipu.buffer<l1>
  aipu.input "x" %x[0] layout <rows 512, pixels 64, channels [1 at 0]> tensor tensor<1x1x1x8x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  aipu.output "y" %y[0] layout <rows 512, pixels 64, channels [1 at 0]> tensor tensor<1x1x1x8x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 512} layer 0
    %1 = aipu.dma on dma1(src = l1 %a[0], dst = l2 %y[0]) {row_bytes = 512} layer 0
  }
}

// A page for each buffer of the second set; addresses are those of the first.
// CHECK: second_set = {l2 = 8192 : i64}
// CHECK: aipu.buffer "x" bytes 512 at 0 :
// CHECK: aipu.buffer "y" bytes 512 at 4096 :

// PWORDS: second_set = {l2 = 1024 : i64}
// PWORDS: aipu.buffer "y" bytes 512 at 512 :

// SINGLE-NOT: second_set
// SINGLE-NOT: staged

// No room in L2 beside the program: DDR, from where the bytes are copied between frames.
// STAGED: second_set = {ddr = 8192 : i64}, staged_bytes = 8192 : i64

// SMALL: error: [only] the buffers do not fit ddr: 8,192 bytes needed, 8,191 allowed (1 too many)
// SMALL: note: 8,192 bytes are for second sets of input and output buffers (double_buffer)
