// Pages in the memories that programs share; pwords where pages do not fit, and in L1.
// RUN: ax-opt %s -p plan-memory | filecheck %s
// RUN: ax-opt %s -p 'plan-memory{l2-constraint=8192}' | filecheck %s
// RUN: ax-opt %s -p 'plan-memory{l2-constraint=8191}' | filecheck %s --check-prefix TIGHT
// RUN: ax-opt %s -p 'plan-memory{page-memory=false}' | filecheck %s --check-prefix BYTES

// CHECK: attributes {pages = {l2 = 4096 : i64, ddr = 4096 : i64}}
// TIGHT: attributes {pages = {l2 = 64 : i64, ddr = 4096 : i64}}
// BYTES: aipu.program "main" target "metis" layers [{{.*}}] {
aipu.program "main" target "metis" layers [#aipu.layer<"first", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 512 data dense<1> : tensor<512xi8> : !aipu.buffer<l2>
  %v = aipu.buffer "v" bytes 512 data dense<2> : tensor<512xi8> : !aipu.buffer<l2>
  %d = aipu.buffer "d" bytes 4160 data dense<2> : tensor<4160xi8> : !aipu.buffer<ddr>
  %e = aipu.buffer "e" bytes 64 data dense<2> : tensor<64xi8> : !aipu.buffer<ddr>
  %a = aipu.buffer "a" bytes 512 : !aipu.buffer<l1>
  %b = aipu.buffer "b" bytes 512 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 512} layer 0
    %1 = aipu.dma on dma0(src = l2 %v[0], dst = l1 %b[0]) {row_bytes = 512} layer 0
    %2 = aipu.dma on dma0(src = l1 %a[0], dst = l1 %b[0]) {row_bytes = 512} layer 0
  }
}

// CHECK-NEXT: "w" bytes 512 at 0 data
// CHECK-NEXT: "v" bytes 512 at 4096 data
// CHECK-NEXT: "d" bytes 4160 at 0 data
// CHECK-NEXT: "e" bytes 64 at 8192 data
// CHECK-NEXT: "a" bytes 512 at 0
// CHECK-NEXT: "b" bytes 512 at 512

// TIGHT-NEXT: "w" bytes 512 at 0 data
// TIGHT-NEXT: "v" bytes 512 at 512 data
// TIGHT-NEXT: "d" bytes 4160 at 0 data
// TIGHT-NEXT: "e" bytes 64 at 8192 data

// BYTES-NEXT: "w" bytes 512 at 0 data
// BYTES-NEXT: "v" bytes 512 at 512 data
// BYTES-NEXT: "d" bytes 4160 at 0 data
// BYTES-NEXT: "e" bytes 64 at 4160 data
