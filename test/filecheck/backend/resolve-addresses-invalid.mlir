// What resolve-addresses refuses.
// RUN: ax-opt %s -p resolve-addresses --split-input-file --verify-diagnostics

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  // expected-error@below {{buffer 'x' has no address}}
  %x = aipu.buffer "x" bytes 64 : !aipu.buffer<l2>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  // expected-error@below {{the code of dma0 has no address}}
  aipu.code core 0 on "dma0" in "ddr"
  aipu.core 0 {
  ^bb0:
  }
}

// -----

// expected-error@below {{the program is for target 'other', not for 'metis'}}
aipu.program "main" target "other" layers [] {
^bb0:
}

// -----

aipu.program "main" target "metis" layers [] {
  %a = aipu.buffer "a" bytes 128 at 0 data dense<1> : tensor<128xi8> : !aipu.buffer<l2>
  // expected-error@below {{constants 'a' and 'b' overlap}}
  %b = aipu.buffer "b" bytes 64 at 64 data dense<1> : tensor<64xi8> : !aipu.buffer<l2>
}

// -----

aipu.program "main" target "metis" layers [] {
  // expected-error@below {{data of buffer 'a' is of type uint8, not int8}}
  %a = aipu.buffer "a" bytes 64 at 0 data dense<1> : tensor<64xui8> : !aipu.buffer<l2>
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 128 at 0 : !aipu.buffer<l2>
  %a = aipu.buffer "a" bytes 128 at 0 : !aipu.buffer<l1>
  aipu.core 0 {
    // expected-error@below {{dst reaches 192 bytes into buffer 'a', which has 128}}
    aipu.dma on dma0(src = l2 %x[0], dst = l1 %a[64]) {row_bytes = 128} layer 0
  }
}

// -----

aipu.program "main" target "metis" layers [#aipu.layer<"l", "conv", "array", 0>] {
  %x = aipu.buffer "x" bytes 640 at 0 : !aipu.buffer<l2>
  // expected-error@below {{port 'in' has elements of type i8, not axq.q}}
  aipu.input "in" %x[0] layout <rows 640, pixels 64, channels [3 at 0]> tensor tensor<1x3x1x10xi8> : !aipu.buffer<l2>
}

// -----

// expected-error@below {{an image cannot keep attribute 'note' = unit}}
aipu.program "main" target "metis" layers [] attributes {note} {
^bb0:
}
