// RUN: ax-opt %s --split-input-file -p rearrange | filecheck %s

// Between convolutions, a transpose of pixels is copies.
ax.graph @main(%x: tensor<1x8x6x5xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<12x8x1x1xf32> : tensor<12x8x1x1xf32>
  %v = ax.constant dense<1.0> : tensor<4x5x1x1xf32> : tensor<4x5x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x8x6x5xf32>, tensor<12x8x1x1xf32>) -> tensor<1x12x6x5xf32>
  %t = ax.transpose %a perm [0, 3, 2, 1] : tensor<1x12x6x5xf32> -> tensor<1x5x6x12xf32>
  %y = ax.conv %t, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x5x6x12xf32>, tensor<4x5x1x1xf32>) -> tensor<1x4x6x12xf32>
  ax.return %y : tensor<1x4x6x12xf32>
}
// CHECK: %[[A:.*]] = ax.conv
// CHECK-NEXT: %[[T:.*]] = ax.rearrange %[[A]] split [12, 6, 5] perm [2, 1, 0] shape [1, 5, 6, 12] : tensor<1x12x6x5xf32> -> tensor<1x5x6x12xf32>
// CHECK-NEXT: ax.conv %[[T]]

// -----

// A softmax over all pixels, spelled with tensors of rank 3: they become channels, and pixels again.
ax.graph @main(%x: tensor<1x8x6x5xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<12x8x1x1xf32> : tensor<12x8x1x1xf32>
  %v = ax.constant dense<1.0> : tensor<4x12x1x1xf32> : tensor<4x12x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x8x6x5xf32>, tensor<12x8x1x1xf32>) -> tensor<1x12x6x5xf32>
  %r = ax.reshape %a shape [1, 12, 30] : tensor<1x12x6x5xf32> -> tensor<1x12x30xf32>
  %s = ax.softmax %r axis 2 : tensor<1x12x30xf32> -> tensor<1x12x30xf32>
  %t = ax.reshape %s shape [1, 12, 6, 5] : tensor<1x12x30xf32> -> tensor<1x12x6x5xf32>
  %y = ax.conv %t, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x12x6x5xf32>, tensor<4x12x1x1xf32>) -> tensor<1x4x6x5xf32>
  ax.return %y : tensor<1x4x6x5xf32>
}
// CHECK: %[[A:.*]] = ax.conv
// CHECK-NEXT: %[[R:.*]] = ax.rearrange %[[A]] split [12, 6, 5] perm [1, 2, 0] shape [1, 30, 1, 12]
// CHECK-NEXT: %[[S:.*]] = ax.softmax %[[R]] axis 1
// CHECK-NEXT: %[[T:.*]] = ax.rearrange %[[S]] split [6, 5, 12] perm [2, 0, 1] shape [1, 12, 6, 5]
// CHECK-NEXT: ax.conv %[[T]]

// -----

// No factors make both shapes: all elements become channels of one pixel in between. The ReLU needs no rank of its own.
ax.graph @main(%x: tensor<1x8x6x5xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<12x8x1x1xf32> : tensor<12x8x1x1xf32>
  %v = ax.constant dense<1.0> : tensor<4x18x1x1xf32> : tensor<4x18x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x8x6x5xf32>, tensor<12x8x1x1xf32>) -> tensor<1x12x6x5xf32>
  %r = ax.reshape %a shape [1, 12, 30] : tensor<1x12x6x5xf32> -> tensor<1x12x30xf32>
  %s = ax.relu %r : tensor<1x12x30xf32> -> tensor<1x12x30xf32>
  %t = ax.reshape %s shape [1, 18, 4, 5] : tensor<1x12x30xf32> -> tensor<1x18x4x5xf32>
  %y = ax.conv %t, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x18x4x5xf32>, tensor<4x18x1x1xf32>) -> tensor<1x4x4x5xf32>
  ax.return %y : tensor<1x4x4x5xf32>
}
// CHECK: %[[A:.*]] = ax.conv
// CHECK-NEXT: %[[S:.*]] = ax.relu %[[A]]
// CHECK-NEXT: %[[R:.*]] = ax.rearrange %[[S]] split [12, 6, 5] perm [0, 1, 2] shape [1, 360, 1, 1]
// CHECK-NEXT: %[[T:.*]] = ax.rearrange %[[R]] split [18, 4, 5] perm [0, 1, 2] shape [1, 18, 4, 5]
// CHECK-NEXT: ax.conv %[[T]]

// -----

// Channels and height exchanged, in a large tensor: pixels in the order of columns, the array's exchange of all pixels and
// channels, and rows of 128 channels to where they belong.
ax.graph @main(%x: tensor<1x64x128x128xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<64x64x1x1xf32> : tensor<64x64x1x1xf32>
  %v = ax.constant dense<1.0> : tensor<4x128x1x1xf32> : tensor<4x128x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x64x128x128xf32>, tensor<64x64x1x1xf32>) -> tensor<1x64x128x128xf32>
  %t = ax.transpose %a perm [0, 2, 1, 3] : tensor<1x64x128x128xf32> -> tensor<1x128x64x128xf32>
  %y = ax.conv %t, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x128x64x128xf32>, tensor<4x128x1x1xf32>) -> tensor<1x4x64x128xf32>
  ax.return %y : tensor<1x4x64x128xf32>
}
// CHECK: %[[A:.*]] = ax.conv
// CHECK-NEXT: %[[P:.*]] = ax.rearrange %[[A]] split [64, 128, 128] perm [0, 2, 1] shape [1, 64, 1, 16384]
// CHECK-NEXT: %[[T:.*]] = ax.rearrange %[[P]] split [64, 128, 128] perm [1, 2, 0] shape [1, 16384, 1, 64]
// CHECK-NEXT: %[[R:.*]] = ax.rearrange %[[T]] split [128, 128, 64] perm [1, 2, 0] shape [1, 128, 64, 128]
// CHECK-NEXT: ax.conv %[[R]]
