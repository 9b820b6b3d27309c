// RUN: ax-opt %s -p activation-before-pool | filecheck %s
// RUN: ax-opt %s -p 'activation-before-pool{activations=clip}' | filecheck %s --check-prefix CLIP
// RUN: not ax-opt %s -p 'activation-before-pool{activations=silu}' 2>&1 | filecheck %s --check-prefix SILU

// CHECK:      ax.graph @main
// CHECK:        %v = ax.conv
// CHECK-NEXT:   %[[R:.*]] = ax.relu %v : tensor<1x2x4x4xf32>
// CHECK-NEXT:   %[[P:.*]] = ax.max_pool %[[R]] kernel [2, 2]
// CHECK-NEXT:   ax.return %[[P]]

// CLIP:         %p = ax.max_pool %v
// CLIP-NEXT:    %y = ax.relu %p

// SILU: error: option 'activations' takes relu|clip,...
ax.graph @main(%x: tensor<1x1x4x4xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %p = ax.max_pool %v kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1]
    : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  %y = ax.relu %p : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  ax.return %y : tensor<1x2x2x2xf32>
}

// The pool's result is an output as well, without the activation: nothing moves.
// CHECK:      ax.graph @returned
// CHECK:        %p = ax.max_pool %v
// CHECK-NEXT:   %y = ax.relu %p
// CHECK-NEXT:   ax.return %y, %p
ax.graph @returned(%x: tensor<1x1x4x4xf32> "x") -> ("y", "p") {
  %w = ax.constant dense<1.0> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : (tensor<1x1x4x4xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x4x4xf32>
  %p = ax.max_pool %v kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1]
    : tensor<1x2x4x4xf32> -> tensor<1x2x2x2xf32>
  %y = ax.relu %p : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  ax.return %y, %p : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}
