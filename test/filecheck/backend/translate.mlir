// Text to image and back.
// RUN: ax-translate --mlir-to-image %s | ax-translate --image-to-mlir | filecheck %s
// RUN: ax-translate --mlir-to-image %s -o %t.axm
// RUN: ax-translate --image-to-mlir %t.axm -o %t.mlir
// RUN: ax-translate --mlir-to-image %t.mlir -o %t.again.axm
// RUN: cmp %t.axm %t.again.axm
// RUN: not ax-translate --image-to-mlir %s 2>&1 | filecheck %s --check-prefix TEXT
// RUN: not ax-translate --axq-to-qdq %s 2>&1 | filecheck %s --check-prefix NOGRAPH

// CHECK: aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
// CHECK-NEXT: %l1 = aipu.buffer "l1" bytes 64 at 0 : !aipu.buffer<l1>
// CHECK-NEXT: %0 = aipu.buffer "c" bytes 64 at 0 data dense<5> : tensor<64xi8> : !aipu.buffer<l2>
// CHECK-NEXT: aipu.core 0 {
// CHECK-NEXT: %dma0.0 = aipu.dma on dma0(src = l2 %0[0], dst = l1 %l1[0]) {row_bytes = 64} layer 0

// TEXT: translate.mlir: not a whole program image: it is not an ELF file
// TEXT-NEXT: note: an image is what axc writes

// NOGRAPH: error: expected one axq.graph, the module holds 0
aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %c = aipu.buffer "c" bytes 64 at 0 data dense<5> : tensor<64xi8> : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 at 0 : !aipu.buffer<l1>
  aipu.core 0 {
    aipu.dma on dma0(src = l2 %c[0], dst = l1 %a[0]) {row_bytes = 64} layer 0
  }
}
