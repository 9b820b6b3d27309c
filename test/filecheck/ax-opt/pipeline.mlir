// RUN: ax-opt %s -p 'canonicalize , cse' | filecheck %s
// RUN: ax-opt %s -p canonicalize -p cse | filecheck %s
// RUN: ax-opt %s -p 'builtin.module(canonicalize,cse)' | filecheck %s
// RUN: not ax-opt %s -p 'canonicalise' 2>&1 | filecheck %s --check-prefix UNKNOWN
// RUN: not ax-opt %s -p 'cse{depth=3}' 2>&1 | filecheck %s --check-prefix OPTION
// RUN: not ax-opt %s -p 'cse,' 2>&1 | filecheck %s --check-prefix SYNTAX

// CHECK:      %y = arith.addi %x, %x : i32
// CHECK-NEXT: %u = arith.muli %y, %y : i32
// CHECK-NEXT: func.return %u : i32

// UNKNOWN:      pass-pipeline:1:1: error: unknown pass 'canonicalise'
// UNKNOWN-NEXT: canonicalise
// UNKNOWN-NEXT: ^^^^^^^^^^^^
// UNKNOWN-NEXT: note: did you mean 'canonicalize'

// OPTION:      pass-pipeline:1:5: error: pass 'cse' has no option 'depth'
// OPTION-NEXT: cse{depth=3}
// OPTION-NEXT:     ^^^^^^^
// OPTION-NEXT: note: it has no options

// SYNTAX:      pass-pipeline:1:5: error: expected the name of a pass
// SYNTAX-NEXT: cse,
// SYNTAX-NEXT:     ^

func.func @f(%x: i32) -> i32 {
  %y = arith.addi %x, %x : i32
  %z = arith.addi %x, %x : i32
  %u = arith.muli %z, %y : i32
  func.return %u : i32
}
