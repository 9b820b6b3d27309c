// RUN: ax-opt %s -p cse,dce --print-ir-after-all -o %t.mlir 2>&1 | filecheck %s
// RUN: ax-opt %s -p cse,dce --timing -o %t.mlir 2>&1 | filecheck %s --check-prefix TIMING

// CHECK:      // -----// IR after cse //----- //
// CHECK:        "test.op"(%y, %y)
// CHECK:      // -----// IR after dce //----- //
// CHECK:        "test.op"(%y, %y)

// TIMING:      pass {{ *}}ms {{ *}}verify ms {{ *}}%
// TIMING-NEXT: cse {{.*}}
// TIMING-NEXT: dce {{.*}}
// TIMING-NEXT: total {{.*}} 100.0

func.func @f(%x: i32) {
  %y = arith.addi %x, %x : i32
  %z = arith.addi %x, %x : i32
  "test.op"(%y, %z) : (i32, i32) -> ()
  func.return
}
