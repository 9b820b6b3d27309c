// Where L1 of core 0 lies goes into the image with the program's attributes.
// RUN: ax-opt %s -p 'plan-memory{l1-virtual-address=4096 l1-core0-physical-address=8192}' | filecheck %s
// RUN: ax-opt %s -p plan-memory | filecheck %s --check-prefix NONE

// CHECK: attributes {l1_virtual_address = 4096 : i64, l1_core0_physical_address = 8192 : i64} {
// NONE: layers [] {
aipu.program "main" target "metis" layers [] {
  aipu.core 0 {
  ^bb0:
  }
}
