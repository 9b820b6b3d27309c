// RUN: ax-opt %s --split-input-file -p rearrange | filecheck %s

// Before the first convolution and after the last, elements move on the host.
ax.graph @main(%x: tensor<1x6x5x8xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<12x8x1x1xf32> : tensor<12x8x1x1xf32>
  %t = ax.transpose %x perm [0, 3, 1, 2] : tensor<1x6x5x8xf32> -> tensor<1x8x6x5xf32>
  %a = ax.conv %t, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x8x6x5xf32>, tensor<12x8x1x1xf32>) -> tensor<1x12x6x5xf32>
  %s = ax.softmax %a axis 3 : tensor<1x12x6x5xf32> -> tensor<1x12x6x5xf32>
  %y = ax.transpose %s perm [0, 2, 3, 1] : tensor<1x12x6x5xf32> -> tensor<1x6x5x12xf32>
  ax.return %y : tensor<1x6x5x12xf32>
}
// CHECK: %t = ax.transpose
// CHECK: %s = ax.softmax %a axis 3
// CHECK-NEXT: %y = ax.transpose

// -----

// A million single bytes take longer than a host island would: half of the channels go with the rows.
ax.graph @main(%x: tensor<1x64x128x128xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<64x64x1x1xf32> : tensor<64x64x1x1xf32>
  %v = ax.constant dense<1.0> : tensor<4x256x1x1xf32> : tensor<4x256x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x64x128x128xf32>, tensor<64x64x1x1xf32>) -> tensor<1x64x128x128xf32>
  %r = ax.reshape %a shape [1, 32, 2, 128, 128] : tensor<1x64x128x128xf32> -> tensor<1x32x2x128x128xf32>
  %t = ax.transpose %r perm [0, 2, 3, 1, 4] : tensor<1x32x2x128x128xf32> -> tensor<1x2x128x32x128xf32>
  %s = ax.reshape %t shape [1, 256, 32, 128] : tensor<1x2x128x32x128xf32> -> tensor<1x256x32x128xf32>
  %y = ax.conv %s, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x256x32x128xf32>, tensor<4x256x1x1xf32>) -> tensor<1x4x32x128xf32>
  ax.return %y : tensor<1x4x32x128xf32>
}
// CHECK: ax.reshape %a
// CHECK-NEXT: ax.transpose %r perm [0, 2, 3, 1, 4]

// -----

// As many pixels, exchanged as a whole, do not.
ax.graph @main(%x: tensor<1x64x128x128xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<64x64x1x1xf32> : tensor<64x64x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x64x128x128xf32>, tensor<64x64x1x1xf32>) -> tensor<1x64x128x128xf32>
  %t = ax.transpose %a perm [0, 1, 3, 2] : tensor<1x64x128x128xf32> -> tensor<1x64x128x128xf32>
  %y = ax.conv %t, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x64x128x128xf32>, tensor<64x64x1x1xf32>) -> tensor<1x64x128x128xf32>
  ax.return %y : tensor<1x64x128x128xf32>
}
// CHECK: ax.rearrange %a split [64, 128, 128] perm [0, 2, 1] shape [1, 64, 128, 128]

// -----

// What is in another form already stays, and so does a graph without refused operators.
ax.graph @main(%x: tensor<1x4x4x4xf32> "x") -> ("y") {
  %y = ax.reshape %x shape [1, 4, 1, 16] : tensor<1x4x4x4xf32> -> tensor<1x4x1x16xf32>
  ax.return %y : tensor<1x4x1x16xf32>
}
// CHECK: ax.reshape %x shape [1, 4, 1, 16]
