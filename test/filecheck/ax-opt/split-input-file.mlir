// RUN: ax-opt %s --split-input-file | filecheck %s

// CHECK:      func.func private @first()
// CHECK:      // -----
// CHECK-NEXT: builtin.module {
// CHECK-NEXT:   func.func private @second()

func.func private @first()

// -----

func.func private @second()
