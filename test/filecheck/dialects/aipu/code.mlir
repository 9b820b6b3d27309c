// Where the descriptors of a queue live.
// RUN: ax-opt %s --split-input-file | ax-opt --split-input-file | filecheck %s

// CHECK: aipu.program "main"
aipu.program "main" target "metis" layers [] {
  // CHECK-NEXT: aipu.code core 0 on "dma0" in "ddr"
  aipu.code core 0 on "dma0" in "ddr"
  // CHECK-NEXT: aipu.code core 0 on "array" in "l2" at 4096
  aipu.code core 0 on "array" in "l2" at 4096
  // CHECK-NEXT: aipu.code core 1 on "dma0" in "ddr" at 64 preload {note}
  aipu.code core 1 on "dma0" in "ddr" at 64 preload {note}
  aipu.core 0 {
  ^bb0:
  }
  aipu.core 1 {
  ^bb0:
  }
}
