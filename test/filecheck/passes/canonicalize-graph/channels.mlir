// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// A channel shuffle followed by a split, as FastestDet's exporter writes it: every second channel.
// CHECK:      ax.graph @every_second
// CHECK-NEXT:   [[A:%.*]] = ax.slice %x starts [0, 0, 0, 0] ends [1, 3, 2, 2] steps [1, 2, 1, 1]
// CHECK-NEXT:   [[B:%.*]] = ax.slice %x starts [0, 1, 0, 0] ends [1, 4, 2, 2] steps [1, 2, 1, 1]
// CHECK-NEXT:   ax.return [[A]], [[B]]
ax.graph @every_second(%x: tensor<1x4x2x2xf32> "x") -> ("y", "z") {
  %a = ax.reshape %x shape [2, 2, 4] : tensor<1x4x2x2xf32> -> tensor<2x2x4xf32>
  %b = ax.transpose %a perm [1, 0, 2] : tensor<2x2x4xf32> -> tensor<2x2x4xf32>
  %c = ax.reshape %b shape [2, 1, 2, 2, 2] : tensor<2x2x4xf32> -> tensor<2x1x2x2x2xf32>
  %d = ax.slice %c starts [0, 0, 0, 0, 0] ends [1, 1, 2, 2, 2] steps [1, 1, 1, 1, 1] : tensor<2x1x2x2x2xf32> -> tensor<1x1x2x2x2xf32>
  %e = ax.reshape %d shape [1, 2, 2, 2] : tensor<1x1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %f = ax.slice %c starts [1, 0, 0, 0, 0] ends [2, 1, 2, 2, 2] steps [1, 1, 1, 1, 1] : tensor<2x1x2x2x2xf32> -> tensor<1x1x2x2x2xf32>
  %g = ax.reshape %f shape [1, 2, 2, 2] : tensor<1x1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  ax.return %e, %g : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

// Channels 0, 2, 1, 3 are two ranges.
// CHECK:      ax.graph @shuffle
// CHECK-NEXT:   [[A:%.*]] = ax.slice %x starts [0, 0, 0, 0] ends [1, 3, 2, 2] steps [1, 2, 1, 1]
// CHECK-NEXT:   [[B:%.*]] = ax.slice %x starts [0, 1, 0, 0] ends [1, 4, 2, 2] steps [1, 2, 1, 1]
// CHECK-NEXT:   [[C:%.*]] = ax.concat [[A]], [[B]] axis 1
// CHECK-NEXT:   ax.return [[C]]
ax.graph @shuffle(%x: tensor<1x4x2x2xf32> "x") -> ("y") {
  %a = ax.reshape %x shape [1, 2, 2, 2, 2] : tensor<1x4x2x2xf32> -> tensor<1x2x2x2x2xf32>
  %b = ax.transpose %a perm [0, 2, 1, 3, 4] : tensor<1x2x2x2x2xf32> -> tensor<1x2x2x2x2xf32>
  %c = ax.reshape %b shape [1, 4, 2, 2] : tensor<1x2x2x2x2xf32> -> tensor<1x4x2x2xf32>
  ax.return %c : tensor<1x4x2x2xf32>
}

// Channels 0, 1, 4, 5
// CHECK:      ax.graph @halves
// CHECK-NEXT:   [[A:%.*]] = ax.slice %x starts [0, 0, 0, 0] ends [1, 2, 1, 2] steps [1, 1, 1, 1]
// CHECK-NEXT:   [[B:%.*]] = ax.slice %x starts [0, 4, 0, 0] ends [1, 6, 1, 2] steps [1, 1, 1, 1]
// CHECK-NEXT:   [[C:%.*]] = ax.concat [[A]], [[B]] axis 1
// CHECK-NEXT:   ax.return [[C]]
ax.graph @halves(%x: tensor<1x8x1x2xf32> "x") -> ("y") {
  %a = ax.reshape %x shape [1, 2, 4, 2] : tensor<1x8x1x2xf32> -> tensor<1x2x4x2xf32>
  %b = ax.slice %a starts [0, 0, 0, 0] ends [1, 2, 2, 2] steps [1, 1, 1, 1] : tensor<1x2x4x2xf32> -> tensor<1x2x2x2xf32>
  %c = ax.reshape %b shape [1, 4, 1, 2] : tensor<1x2x2x2xf32> -> tensor<1x4x1x2xf32>
  ax.return %c : tensor<1x4x1x2xf32>
}

// Many ranges are a convolution that picks.
// CHECK:      ax.graph @shuffle_of_many
// CHECK-NEXT:   [[W:%.*]] = ax.constant {{.*}} : tensor<10x10x1x1xf32>
// CHECK-NEXT:   [[A:%.*]] = ax.conv %x, [[W]] {{.*}} group 1
// CHECK-NEXT:   ax.return [[A]]
ax.graph @shuffle_of_many(%x: tensor<1x10x1x2xf32> "x") -> ("y") {
  %a = ax.reshape %x shape [2, 5, 2] : tensor<1x10x1x2xf32> -> tensor<2x5x2xf32>
  %b = ax.transpose %a perm [1, 0, 2] : tensor<2x5x2xf32> -> tensor<5x2x2xf32>
  %c = ax.reshape %b shape [1, 10, 1, 2] : tensor<5x2x2xf32> -> tensor<1x10x1x2xf32>
  ax.return %c : tensor<1x10x1x2xf32>
}

// Pixels that move are none of this.
// CHECK:      ax.graph @pixels
// CHECK-NEXT:   ax.reshape
// CHECK-NEXT:   ax.transpose
// CHECK-NEXT:   ax.reshape
// CHECK-NEXT:   ax.return
ax.graph @pixels(%x: tensor<1x4x2x2xf32> "x") -> ("y") {
  %a = ax.reshape %x shape [1, 2, 8] : tensor<1x4x2x2xf32> -> tensor<1x2x8xf32>
  %b = ax.transpose %a perm [0, 2, 1] : tensor<1x2x8xf32> -> tensor<1x8x2xf32>
  %c = ax.reshape %b shape [1, 4, 2, 2] : tensor<1x8x2xf32> -> tensor<1x4x2x2xf32>
  ax.return %c : tensor<1x4x2x2xf32>
}
