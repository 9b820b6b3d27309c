// RUN: ax-opt %s --split-input-file --verify-diagnostics

aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<l1>
  aipu.core 0 {
    // expected-error@below {{copies from l2 to l1, sysdma does not reach l1}}
    %0 = aipu.dma on sysdma(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 64} layer 0
  }
}

// -----

// expected-error@below {{a task waits for 'core 1 dma0 1', a core that the program does not have}}
aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 64} layer 0 after(core 1 dma0 1)
  }
}

// -----

// expected-error@below {{a task waits for 'core 0 dma0 1' of its own core; name the task instead}}
aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 64} layer 0
    %1 = aipu.dma on dma1(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 64} layer 0 after(core 0 dma0 1)
  }
}

// -----

// expected-error@below {{a task waits for 'core 1 dma0 2', that queue has 1 tasks}}
aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 64} layer 0 after(core 1 dma0 2)
  }
  aipu.core 1 {
    %1 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 64} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<l1>
  aipu.core 0 {
    // expected-error@below {{Expected integer literal}}
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 64} layer 0 after(core 1 dma0)
  }
}

// -----

// expected-error@below {{Expected 'core'}}
aipu.program "main" target "metis" layers [] attributes {reached = #aipu.count<array 12>} {
^bb0:
}

// -----

// expected-error@below {{a task waits for 'core 1 gpu 1', that queue has 0 tasks}}
aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %w = aipu.buffer "w" bytes 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %w[0], dst = l1 %a[0]) {row_bytes = 64} layer 0 after(core 1 gpu 1)
  }
  aipu.core 1 {
  ^bb0:
  }
}
