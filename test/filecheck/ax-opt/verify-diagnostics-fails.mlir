// RUN: not ax-opt %s --verify-diagnostics 2>&1 | filecheck %s

// CHECK:      verify-diagnostics-fails.mlir:11:3: error: unexpected error: 'test.op' op ends its block
// CHECK-NEXT: verify-diagnostics-fails.mlir:9:1: error: expected error "something else" was not produced

func.func private @f()

func.func @g() {
  // expected-error@below {{something else}}

  "test.op"() : () -> ()
}
