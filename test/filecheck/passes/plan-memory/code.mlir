// The program's own descriptors have a place, and count.
// RUN: ax-opt %s -p 'plan-memory{page-memory=false}' | filecheck %s
// RUN: ax-opt %s -p 'plan-memory{page-memory=false ddr-constraint=256}' | filecheck %s
// RUN: not ax-opt %s -p 'plan-memory{ddr-constraint=192}' 2>&1 | filecheck %s --check-prefix DDR
// RUN: not ax-opt %s -p 'plan-memory{l2-constraint=1049280}' 2>&1 | filecheck %s --check-prefix L2
// RUN: not ax-opt %s -p 'plan-memory{l2-constraint=1000}' 2>&1 | filecheck %s --check-prefix LIST
// RUN: not ax-opt %s -p 'plan-memory{l2-size-reserved-tasklist=128}' 2>&1 | filecheck %s --check-prefix LONG

aipu.program "main" target "metis" layers [#aipu.layer<"first", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 512 data dense<1> : tensor<512xi8> : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 512 : !aipu.buffer<l1>
  aipu.code core 0 on "dma0" in "ddr" preload
  aipu.code core 0 on "dma1" in "l2"
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 256} layer 0
    %1 = aipu.dma on dma1(src = l2 %w[256], dst = l1 %a[256]) {row_bytes = 256} layer 0
  }
}

// CHECK: aipu.buffer "w" bytes 512 at 0 data
// CHECK: aipu.code core 0 on "dma0" in "ddr" at 0 preload
// One descriptor behind the constant.
// CHECK-NEXT: aipu.code core 0 on "dma1" in "l2" at 512

// DDR: error: [first] the buffers do not fit ddr: 256 bytes needed, 192 allowed (64 too many)
// DDR-NEXT: note: alive there (256 bytes): code.dma0 256
// L2: error: [first] the buffers do not fit l2: 768 bytes needed, 704 allowed (64 too many)
// L2-NEXT: note: alive there (768 bytes): w 512, code.dma1 256
// LIST: error: the task list does not fit l2: 1,048,576 bytes are reserved for it, 1,000 allowed
// LIST-NEXT: note: lower l2_size_reserved_tasklist, or let stream_tasklist be true
// LONG: code.mlir:9:1: error: the task list of core 0 does not fit l2_size_reserved_tasklist: 256 bytes needed, 128 allowed (128 too many)
// LONG-NEXT: note: raise l2_size_reserved_tasklist, or let stream_tasklist be true
