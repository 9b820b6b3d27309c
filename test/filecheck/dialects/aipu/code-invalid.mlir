// RUN: ax-opt %s --split-input-file --verify-diagnostics

// expected-error@below {{code of core 1, which the program does not have}}
aipu.program "main" target "metis" layers [] {
  aipu.code core 1 on "dma0" in "ddr"
  aipu.core 0 {
  ^bb0:
  }
}

// -----

// expected-error@below {{the code of core 0 dma0 has two places}}
aipu.program "main" target "metis" layers [] {
  aipu.code core 0 on "dma0" in "ddr"
  aipu.code core 0 on "dma0" in "l2"
  aipu.core 0 {
  ^bb0:
  }
}

// -----

aipu.program "main" target "metis" layers [] {
  // expected-error@below {{no unit 'vector', there are dma0, dma1}}
  aipu.code core 0 on "vector" in "ddr"
  aipu.core 0 {
  ^bb0:
  }
}

// -----

aipu.program "main" target "metis" layers [] {
  // expected-error@below {{descriptors live in l2 or ddr, not in 'l1'}}
  aipu.code core 0 on "array" in "l1"
  aipu.core 0 {
  ^bb0:
  }
}

// -----

aipu.program "main" target "metis" layers [] {
  // expected-error@below {{the address of code is a multiple of 64, not 100}}
  aipu.code core 0 on "array" in "l2" at 100
  aipu.core 0 {
  ^bb0:
  }
}

// -----

aipu.program "main" target "metis" layers [] {
  // expected-error@below {{code that lives in l2 is not preloaded: it is there}}
  aipu.code core 0 on "array" in "l2" preload
  aipu.core 0 {
  ^bb0:
  }
}
