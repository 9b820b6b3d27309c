// RUN: ax-opt %s | ax-opt | filecheck %s
// RUN: ax-opt %s --print-generic | ax-opt | filecheck %s
// RUN: ax-opt %s --print-debuginfo | ax-opt --print-debuginfo | filecheck %s --check-prefix LOC

// CHECK:      func.func @f(%x: i32) -> i32 {
// CHECK-NEXT:   %y = arith.addi %x, %x : i32
// CHECK-NEXT:   "test.op"(%y) {value = dense<[1, -2]> : tensor<2xi8>} : (i32) -> ()
// CHECK-NEXT:   func.return %y : i32

// Floats that need many digits, and infinities, are printed as bit patterns: they must keep their value.
// CHECK:      "test.op"() {value = dense<[0x49742410, 0xff800000, 1.234567{{.*}}]> : tensor<3xf32>}

// LOC: %y = arith.addi %x, %x : i32 loc("{{.*}}roundtrip.mlir":19:3)
// LOC: "test.op"(%y) {{.*}} loc("Conv_3"("net.onnx":3:0))
// LOC: func.return %y : i32 loc(fused["a"("net.onnx":1:0), "b"("net.onnx":2:0)])

func.func @f(%x: i32) -> i32 {
  // An operation without a location gets the place where it stands.
  %y = arith.addi %x, %x : i32
  "test.op"(%y) {value = dense<[1, -2]> : tensor<2xi8>} : (i32) -> () loc("Conv_3"("net.onnx":3:0))
  func.return %y : i32 loc(fused["a"("net.onnx":1:0), "b"("net.onnx":2:0)])
}

"test.op"() {value = dense<[1000001.0, 0xFF800000, 1.2345671]> : tensor<3xf32>} : () -> ()
