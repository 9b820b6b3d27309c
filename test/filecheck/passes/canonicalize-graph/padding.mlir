// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// CHECK:      ax.graph @conv
// CHECK:        ax.conv %x, %w strides [2, 2] pads [0, 1, 2, 4]
ax.graph @conv(%x: tensor<1x1x4x4xf32> "x") -> ("y") {
  %w = ax.constant dense<3.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %p = ax.pad %x pads [0, 0, 0, 1, 0, 0, 2, 3] value 0.0 : tensor<1x1x4x4xf32> -> tensor<1x1x6x8xf32>
  %y = ax.conv %p, %w strides [2, 2] pads [0, 0, 0, 1] dilations [1, 1] group 1 : (tensor<1x1x6x8xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x5xf32>
  ax.return %y : tensor<1x1x3x5xf32>
}

// Padding with another number or of channels is not what a convolution does: constants are beside the tensor. Negative
// pads take a part of it.
// CHECK:      ax.graph @other_pads
// CHECK:        [[R:%.*]] = ax.constant dense<1.000000e+00> : tensor<1x1x1x4xf32>
// CHECK-NEXT:   [[R2:%.*]] = ax.constant dense<1.000000e+00> : tensor<1x1x1x4xf32>
// CHECK-NEXT:   [[A:%.*]] = ax.concat [[R]], %x, [[R2]] axis 2
// CHECK:        [[W:%.*]] = ax.concat {{.*}}, [[A]], {{.*}} axis 3
// CHECK-NEXT:   [[B:%.*]] = ax.conv [[W]],
// CHECK-NEXT:   [[Z:%.*]] = ax.constant dense<0.000000e+00> : tensor<1x1x6x6xf32>
// CHECK-NEXT:   [[C:%.*]] = ax.concat [[B]], [[Z]] axis 1
// CHECK-NEXT:   [[D:%.*]] = ax.conv [[C]],
// CHECK-NEXT:   [[E:%.*]] = ax.slice [[D]] starts [0, 0, 0, 0] ends [1, 1, 5, 6]
// CHECK-NEXT:   ax.conv [[E]],
ax.graph @other_pads(%x: tensor<1x1x4x4xf32> "x") -> ("y") {
  %w = ax.constant dense<3.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %v = ax.constant dense<3.0> : tensor<1x2x1x1xf32> : tensor<1x2x1x1xf32>
  %a = ax.pad %x pads [0, 0, 1, 1, 0, 0, 1, 1] value 1.0 : tensor<1x1x4x4xf32> -> tensor<1x1x6x6xf32>
  %b = ax.conv %a, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x6x6xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x6x6xf32>
  %c = ax.pad %b pads [0, 0, 0, 0, 0, 1, 0, 0] value 0.0 : tensor<1x1x6x6xf32> -> tensor<1x2x6x6xf32>
  %d = ax.conv %c, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x6x6xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x6x6xf32>
  %e = ax.pad %d pads [0, 0, 0, 0, 0, 0, -1, 0] value 0.0 : tensor<1x1x6x6xf32> -> tensor<1x1x5x6xf32>
  %y = ax.conv %e, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x5x6xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x5x6xf32>
  ax.return %y : tensor<1x1x5x6xf32>
}

// Explicit zeros count in a mean.
// CHECK:      ax.graph @avg_pool
// CHECK-NEXT:   ax.avg_pool %x kernel [3, 3] strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] count_include_pad true
ax.graph @avg_pool(%x: tensor<1x1x4x4xf32> "x") -> ("y") {
  %p = ax.pad %x pads [0, 0, 1, 1, 0, 0, 1, 1] value 0.0 : tensor<1x1x4x4xf32> -> tensor<1x1x6x6xf32>
  %y = ax.avg_pool %p kernel [3, 3] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] count_include_pad false : tensor<1x1x6x6xf32> -> tensor<1x1x4x4xf32>
  ax.return %y : tensor<1x1x4x4xf32>
}

// A mean that does not count its own pads keeps them apart from explicit zeros.
// CHECK:      ax.graph @avg_pool_of_two_kinds
// CHECK:        [[P:%.*]] = ax.conv %x, %{{.*}} strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 2
// CHECK-NEXT:   ax.avg_pool [[P]] kernel [3, 3] strides [1, 1] pads [0, 0, 1, 1] dilations [1, 1] count_include_pad false
ax.graph @avg_pool_of_two_kinds(%x: tensor<1x2x4x4xf32> "x") -> ("y") {
  %p = ax.pad %x pads [0, 0, 1, 1, 0, 0, 1, 1] value 0.0 : tensor<1x2x4x4xf32> -> tensor<1x2x6x6xf32>
  %y = ax.avg_pool %p kernel [3, 3] strides [1, 1] pads [0, 0, 1, 1] dilations [1, 1] count_include_pad false : tensor<1x2x6x6xf32> -> tensor<1x2x5x5xf32>
  ax.return %y : tensor<1x2x5x5xf32>
}

// Zeros never win over what a relu returns, and the least number over nothing.
// CHECK:      ax.graph @max_pool
// CHECK-NEXT:   [[R:%.*]] = ax.relu %x
// CHECK-NEXT:   [[A:%.*]] = ax.max_pool [[R]] kernel [2, 2] strides [1, 1] pads [1, 1, 1, 1]
// CHECK-NEXT:   [[B:%.*]] = ax.max_pool %x kernel [2, 2] strides [1, 1] pads [1, 1, 1, 1]
// CHECK-NEXT:   ax.return [[A]], [[B]]
ax.graph @max_pool(%x: tensor<1x1x4x4xf32> "x") -> ("y", "z") {
  %r = ax.relu %x : tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  %p = ax.pad %r pads [0, 0, 1, 1, 0, 0, 1, 1] value 0.0 : tensor<1x1x4x4xf32> -> tensor<1x1x6x6xf32>
  %y = ax.max_pool %p kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x1x6x6xf32> -> tensor<1x1x5x5xf32>
  %q = ax.pad %x pads [0, 0, 1, 1, 0, 0, 1, 1] value -3.4028234663852886e+38 : tensor<1x1x4x4xf32> -> tensor<1x1x6x6xf32>
  %z = ax.max_pool %q kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x1x6x6xf32> -> tensor<1x1x5x5xf32>
  ax.return %y, %z : tensor<1x1x5x5xf32>, tensor<1x1x5x5xf32>
}

// Zeros do win over negative numbers, and count where a window has nothing else.
// CHECK:      ax.graph @max_pool_of_zeros
// CHECK:        [[P:%.*]] = ax.conv %x, %{{.*}} pads [1, 1, 1, 1]
// CHECK-NEXT:   [[A:%.*]] = ax.max_pool [[P]] {{.*}} pads [0, 0, 0, 0]
// CHECK:        [[Q:%.*]] = ax.conv {{.*}} pads [2, 2, 2, 2]
// CHECK-NEXT:   [[B:%.*]] = ax.max_pool [[Q]] {{.*}} pads [0, 0, 0, 0]
// CHECK-NEXT:   ax.return [[A]], [[B]]
ax.graph @max_pool_of_zeros(%x: tensor<1x1x4x4xf32> "x") -> ("y", "z") {
  %p = ax.pad %x pads [0, 0, 1, 1, 0, 0, 1, 1] value 0.0 : tensor<1x1x4x4xf32> -> tensor<1x1x6x6xf32>
  %y = ax.max_pool %p kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x1x6x6xf32> -> tensor<1x1x5x5xf32>
  %r = ax.clip %x min 0.5 max 3.0 : tensor<1x1x4x4xf32> -> tensor<1x1x4x4xf32>
  %q = ax.pad %r pads [0, 0, 2, 2, 0, 0, 2, 2] value 0.0 : tensor<1x1x4x4xf32> -> tensor<1x1x8x8xf32>
  %z = ax.max_pool %q kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x1x8x8xf32> -> tensor<1x1x7x7xf32>
  ax.return %y, %z : tensor<1x1x5x5xf32>, tensor<1x1x7x7xf32>
}

// Channels, a crop and zeros at once; what stands for infinity, and batches, stay.
// CHECK:      ax.graph @several_pads
// CHECK-NEXT:   [[S:%.*]] = ax.slice %x starts [0, 0, 1, 0] ends [1, 2, 4, 4]
// CHECK-NEXT:   ax.constant dense<0.000000e+00> : tensor<1x3x3x4xf32>
// CHECK-NEXT:   [[C:%.*]] = ax.concat {{.*}}, [[S]] axis 1
// CHECK:        ax.conv [[C]], {{.*}} pads [0, 2, 1, 0] dilations [1, 1] group 5
// CHECK-NEXT:   ax.pad %x pads [0, 0, 1, 0, 0, 0, 0, 0] value -6.550400e+04
// CHECK-NEXT:   ax.pad %x pads [1, 0, 0, 0, 0, 0, 0, 0] value 1.000000e+00
// CHECK-NEXT:   ax.return
ax.graph @several_pads(%x: tensor<1x2x4x4xf32> "x") -> ("a", "b", "c") {
  %a = ax.pad %x pads [0, 3, -1, 2, 0, 0, 1, 0] value 0.0 : tensor<1x2x4x4xf32> -> tensor<1x5x4x6xf32>
  %b = ax.pad %x pads [0, 0, 1, 0, 0, 0, 0, 0] value -65504.0 : tensor<1x2x4x4xf32> -> tensor<1x2x5x4xf32>
  %c = ax.pad %x pads [1, 0, 0, 0, 0, 0, 0, 0] value 1.0 : tensor<1x2x4x4xf32> -> tensor<2x2x4x4xf32>
  ax.return %a, %b, %c : tensor<1x5x4x6xf32>, tensor<1x2x5x4xf32>, tensor<2x2x4x4xf32>
}

// Each mirrored or repeated row is a slice; of more than 8 a gather takes them with all others.
// CHECK:      ax.graph @rows
// CHECK-NEXT:   [[E:%.*]] = ax.slice %x starts [0, 0, 0, 0] ends [1, 1, 1, 4]
// CHECK-NEXT:   ax.concat [[E]], [[E]], [[E]], [[E]], [[E]], [[E]], [[E]], [[E]], %x axis 2
// CHECK-NEXT:   ax.gather %x axis 2 indices [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3]
// CHECK-NEXT:   ax.return
ax.graph @rows(%x: tensor<1x1x4x4xf32> "x") -> ("a", "b") {
  %a = ax.pad %x pads [0, 0, 8, 0, 0, 0, 0, 0] value 0.0 mode edge : tensor<1x1x4x4xf32> -> tensor<1x1x12x4xf32>
  %b = ax.pad %x pads [0, 0, 9, 0, 0, 0, 0, 0] value 0.0 mode edge : tensor<1x1x4x4xf32> -> tensor<1x1x13x4xf32>
  ax.return %a, %b : tensor<1x1x12x4xf32>, tensor<1x1x13x4xf32>
}
