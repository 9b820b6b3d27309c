// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// CHECK:      ax.graph @nothing
// CHECK-NEXT:   ax.return %x
ax.graph @nothing(%x: tensor<1x2x3x4xf32> "x") -> ("y") {
  %a = ax.reshape %x shape [2, 12] : tensor<1x2x3x4xf32> -> tensor<2x12xf32>
  %b = ax.reshape %a shape [1, 2, 3, 4] : tensor<2x12xf32> -> tensor<1x2x3x4xf32>
  %c = ax.transpose %b perm [0, 2, 3, 1] : tensor<1x2x3x4xf32> -> tensor<1x3x4x2xf32>
  %d = ax.transpose %c perm [0, 3, 1, 2] : tensor<1x3x4x2xf32> -> tensor<1x2x3x4xf32>
  %e = ax.slice %d starts [0, 0, 0, 0] ends [1, 2, 3, 4] steps [1, 1, 1, 1] : tensor<1x2x3x4xf32> -> tensor<1x2x3x4xf32>
  %f = ax.concat %e axis 1 : (tensor<1x2x3x4xf32>) -> tensor<1x2x3x4xf32>
  %g = ax.pad %f pads [0, 0, 0, 0, 0, 0, 0, 0] value 1.0 : tensor<1x2x3x4xf32> -> tensor<1x2x3x4xf32>
  ax.return %g : tensor<1x2x3x4xf32>
}

// CHECK:      ax.graph @chains
// CHECK-NEXT:   [[A:%.*]] = ax.reshape %x shape [24]
// CHECK-NEXT:   [[B:%.*]] = ax.transpose %x perm [3, 0, 1, 2]
// CHECK-NEXT:   ax.return [[A]], [[B]]
ax.graph @chains(%x: tensor<1x2x3x4xf32> "x") -> ("y", "z") {
  %a = ax.reshape %x shape [2, 12] : tensor<1x2x3x4xf32> -> tensor<2x12xf32>
  %b = ax.reshape %a shape [24] : tensor<2x12xf32> -> tensor<24xf32>
  %c = ax.transpose %x perm [0, 3, 1, 2] : tensor<1x2x3x4xf32> -> tensor<1x4x2x3xf32>
  %d = ax.transpose %c perm [1, 0, 2, 3] : tensor<1x4x2x3xf32> -> tensor<4x1x2x3xf32>
  ax.return %b, %d : tensor<24xf32>, tensor<4x1x2x3xf32>
}

// Axes of length 1 move for free.
// CHECK:      ax.graph @unit_axes
// CHECK-NEXT:   [[A:%.*]] = ax.reshape %x shape [1, 1, 1, 5]
// CHECK-NEXT:   ax.return [[A]]
ax.graph @unit_axes(%x: tensor<1x5x1x1xf32> "x") -> ("y") {
  %a = ax.transpose %x perm [0, 2, 3, 1] : tensor<1x5x1x1xf32> -> tensor<1x1x1x5xf32>
  ax.return %a : tensor<1x1x1x5xf32>
}

// A step, or crops and pads that cancel in number, do move.
// CHECK:      ax.graph @something
// CHECK-NEXT:   [[A:%.*]] = ax.slice %x
// CHECK-NEXT:   [[S:%.*]] = ax.slice %x starts [0] ends [3] steps [1]
// CHECK-NEXT:   [[B:%.*]] = ax.pad [[S]] pads [1, 0]
// CHECK-NEXT:   ax.return [[A]], [[B]]
ax.graph @something(%x: tensor<4xf32> "x") -> ("y", "z") {
  %a = ax.slice %x starts [0] ends [4] steps [2] : tensor<4xf32> -> tensor<2xf32>
  %b = ax.pad %x pads [1, -1] value 0.0 : tensor<4xf32> -> tensor<4xf32>
  ax.return %a, %b : tensor<2xf32>, tensor<4xf32>
}
