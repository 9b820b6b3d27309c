// RUN: not ax-opt %s 2>&1 | filecheck %s
// RUN: ax-opt %s --no-verify | filecheck %s --check-prefix UNVERIFIED
// RUN: not ax-opt missing.mlir 2>&1 | filecheck %s --check-prefix MISSING
// RUN: not ax-opt %s --no-verify -p canonicalize -o %t.none/out.mlir 2>&1 | filecheck %s --check-prefix OUTPUT
// RUN: not ax-opt %s --weights missing.safetensors 2>&1 | filecheck %s --check-prefix WEIGHTS
// RUN: not ax-opt missing.onnx --input-shape x=1,a 2>&1 | filecheck %s --check-prefix SHAPE

// The node's name is part of the message.
// CHECK: net.onnx:7:0: error: [Relu_7] 'test.op' op ends its block but is not a terminator
// CHECK-NOT: Traceback

// UNVERIFIED: "test.op"() : () -> ()

// MISSING: error: missing.mlir: No such file or directory
// OUTPUT: error: {{.*}}out.mlir{{.*}}: No such file or directory
// WEIGHTS: error: missing.safetensors: No such file or directory
// SHAPE: error: --input-shape x=1,a: not a shape

func.func @g() {
  "test.op"() : () -> () loc("Relu_7"("net.onnx":7:0))
}
