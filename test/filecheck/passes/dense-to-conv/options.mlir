// RUN: ax-opt %s -p 'dense-to-conv{rewrite-dense-to-conv2d=false}' | filecheck %s
// RUN: ax-opt %s -p 'dense-to-conv{apply-arithmetic-simplification=false}' | filecheck %s --check-prefix=APART
// RUN: ax-opt %s -p 'dense-to-conv{simplify-mac-before-after-lut=false}' | filecheck %s --check-prefix=CHANNELS

// CHECK:      ax.mul
// CHECK-NEXT: ax.gemm
// CHECK-NEXT: ax.tanh
// CHECK-NEXT: ax.mul

// APART:      ax.reshape
// APART:      ax.conv {{.*}} group 2
// APART:      ax.conv {{.*}} group 1
// APART-NEXT: ax.table {{.*}} <tanh(1.0, 0.0, 2.0, 0.0)>

// CHANNELS:     ax.conv {{.*}} group 1
// CHANNELS-NOT: ax.table
ax.graph @main(%x: tensor<1x2xf32> "x") -> ("y") {
  %w = ax.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32> : tensor<2x2xf32>
  %two = ax.constant dense<2.0> : tensor<f32> : tensor<f32>
  %vector = ax.constant dense<[1.0, 2.0]> : tensor<2xf32> : tensor<2xf32>
  %a = ax.mul %x, %vector : (tensor<1x2xf32>, tensor<2xf32>) -> tensor<1x2xf32>
  %b = ax.gemm %a, %w alpha 1.0 beta 1.0 trans_a false trans_b true : (tensor<1x2xf32>, tensor<2x2xf32>) -> tensor<1x2xf32>
  %t = ax.tanh %b : tensor<1x2xf32> -> tensor<1x2xf32>
  %y = ax.mul %t, %two : (tensor<1x2xf32>, tensor<f32>) -> tensor<1x2xf32>
  ax.return %y : tensor<1x2xf32>
}
