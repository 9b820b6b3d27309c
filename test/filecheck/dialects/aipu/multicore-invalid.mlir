// RUN: ax-opt %s --split-input-file --verify-diagnostics

// expected-error@below {{no mode 'four', there are single, batch, cooperative, pipeline}}
aipu.program "main" target "metis" mode "four" layers [] {
^bb0:
}

// -----

// expected-error@below {{ports of 2 frames in mode single, only a batch takes several}}
aipu.program "main" target "metis" layers [] {
  %x = aipu.buffer "x" bytes 128 : !aipu.buffer<l2>
  aipu.input "x" %x[64] frame 1 layout <rows 64, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

// expected-error@below {{the inputs are not those of frame 0, then the same of every other frame}}
aipu.program "main" target "metis" mode "batch" layers [] {
  %x = aipu.buffer "x" bytes 128 : !aipu.buffer<l2>
  aipu.input "x" %x[0] layout <rows 64, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  aipu.input "z" %x[64] frame 1 layout <rows 64, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

// expected-error@below {{the outputs are not those of frame 0, then the same of every other frame}}
aipu.program "main" target "metis" mode "batch" layers [] {
  %x = aipu.buffer "x" bytes 128 : !aipu.buffer<l2>
  aipu.output "x" %x[64] frame 1 layout <rows 64, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
  aipu.output "x" %x[0] layout <rows 64, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

aipu.program "main" target "metis" mode "batch" layers [] {
  %x = aipu.buffer "x" bytes 128 : !aipu.buffer<l2>
  // expected-error@below {{frames count from 0, this is -1}}
  aipu.input "x" %x[64] frame -1 layout <rows 64, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x1x!axq.q<0.5 : 0>> : !aipu.buffer<l2>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %x = aipu.buffer "x" bytes 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<l1>
  aipu.core 0 {
    // expected-error@below {{copies from l1 to l2, several cores are fed from l2 or ddr to l1}}
    %0 = aipu.dma on dma0(src = l1 %a[0], dst = l2 %x[0]) {row_bytes = 64, cores = 1} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %x = aipu.buffer "x" bytes 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<ddr>
  aipu.core 0 {
    // expected-error@below {{copies from l2 to ddr, several cores are fed from l2 or ddr to l1}}
    %0 = aipu.dma on sysdma(src = l2 %x[0], dst = ddr %a[0]) {row_bytes = 64, cores = 1} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %x = aipu.buffer "x" bytes 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<l1>
  aipu.core 0 {
    // expected-error@below {{cores is 256, legal are 0 to 255}}
    %0 = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 64, cores = 256} layer 0
  }
}

// -----

// expected-error@below {{a copy of core 0 feeds cores 1, but not its own}}
aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %x = aipu.buffer "x" bytes 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 64, cores = 2} layer 0
  }
  aipu.core 1 {
  ^bb0:
  }
}

// -----

// expected-error@below {{a copy feeds cores 0, 2, the program has 2}}
aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  %x = aipu.buffer "x" bytes 64 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 64 : !aipu.buffer<l1>
  aipu.core 0 {
    %0 = aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[0]) {row_bytes = 64, cores = 5} layer 0
  }
  aipu.core 1 {
  ^bb0:
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  aipu.core 0 {
    // expected-error@below {{runs on dma0 or dma1 or load or array or depthwise or sysdma, not on 'gpu'}}
    %0 = aipu.sync on gpu layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "copy", "dma", 0>] {
  aipu.core 0 {
    // expected-error@below {{Expected 'layer'}}
    %0 = aipu.sync on dma0() {} layer 0
  }
}
