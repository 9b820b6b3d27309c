// RUN: ax-opt %s --split-input-file --verify-diagnostics | filecheck %s

// A part without errors is printed.
// CHECK: func.func private @fine()
func.func private @fine()

// -----

func.func @f() {
  "test.op"() : () -> () // expected-error {{'test.op' op ends its block but is not a terminator}}
}

// -----

// Errors of all operations are found, not only the first.
func.func @f(%x: i32) {
  // expected-error@+2 {{'arith.addi' op operand #0 is used before it is defined}}
  // expected-note@+1 {{the operand is defined at}}
  %z = arith.addi %y, %x : i32
  %y = arith.addi %x, %x : i32
  "test.op"() : () -> ()
  // expected-error-re@above {{op ends {{its|the}} block}}
}

// -----

// expected-error@below {{Operation foo.bar is not registered}}
"foo.bar"() : () -> ()

// -----

// expected-error@+1 {{Shape mismatch in dense literal}}
"test.op"() {value = dense<[1, 2]> : tensor<3xi32>} : () -> ()

// -----

// expected-error@below {{0x17f800000 does not fit f32}}
"test.op"() {value = dense<[0x17f800000, 1.0]> : tensor<2xf32>} : () -> ()
