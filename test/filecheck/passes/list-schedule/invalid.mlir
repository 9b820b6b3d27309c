// RUN: ax-opt %s -p 'list-schedule{use-list-scheduler=true}' --verify-diagnostics

aipu.program "planned" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %v = aipu.buffer "v" bytes 1024 data dense<2> : tensor<1024xi8> : !aipu.buffer<l2>
  // expected-error@below {{buffer 'a' has an address already}}
  %a = aipu.buffer "a" bytes 1024 at 0 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %v[0], dst = l1 %a[0]) {row_bytes = 1024} layer 0
  }
}
