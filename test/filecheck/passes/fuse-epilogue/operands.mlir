// RUN: ax-opt %s -p fuse-epilogue --split-input-file | filecheck %s

// A residual addition of two convolutions goes to the later one, at the place of the addition.
// CHECK:      ax.graph @main
// CHECK:        [[A:%.*]] = ax.conv %x, %w strides {{.*}} epilogue <relu> :
// CHECK-NEXT:   [[C:%.*]] = ax.max_pool %x
// CHECK-NEXT:   [[B:%.*]] = ax.conv %x, %w strides {{.*}} epilogue <add, relu> extras [[A]] :
// CHECK-NEXT:   ax.return [[B]], [[C]]
ax.graph @main(%x: tensor<1x1x3x3xf32> "x") -> ("y", "z") {
  %w = ax.constant dense<2.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %ra = ax.relu %a : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %b = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %c = ax.max_pool %x kernel [1, 1] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  %s = ax.add %b, %ra : (tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32>
  %y = ax.relu %s : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  ax.return %y, %c : tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>
}

// -----

// The order of the operands does not matter.
// CHECK:      ax.graph @main
// CHECK:        [[A:%.*]] = ax.conv %x, %w strides
// CHECK-NEXT:   [[B:%.*]] = ax.conv %x, %v strides {{.*}} epilogue <add> extras [[A]] :
// CHECK-NEXT:   ax.return [[B]]
ax.graph @main(%x: tensor<1x1x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<2.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %v = ax.constant dense<3.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %b = ax.conv %x, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %s = ax.add %a, %b : (tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32>
  ax.return %s : tensor<1x1x3x3xf32>
}

// -----

// Squeeze and excitation: the gate depends on the convolution's result, which so has two users.
// CHECK:      ax.graph @main
// CHECK:        [[V:%.*]] = ax.conv %x, %w strides {{.*}} epilogue <relu> :
// CHECK-NEXT:   [[P:%.*]] = ax.avg_pool [[V]]
// CHECK-NEXT:   [[G:%.*]] = ax.conv [[P]], %w strides {{.*}} epilogue <sigmoid> :
// CHECK-NEXT:   [[Y:%.*]] = ax.mul [[V]], [[G]]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @main(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<2.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %r = ax.relu %v : tensor<1x2x3x3xf32> -> tensor<1x2x3x3xf32>
  %p = ax.avg_pool %r kernel [3, 3] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] count_include_pad false : tensor<1x2x3x3xf32> -> tensor<1x2x1x1xf32>
  %g = ax.conv %p, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x1x1xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x1x1xf32>
  %s = ax.sigmoid %g : tensor<1x2x1x1xf32> -> tensor<1x2x1x1xf32>
  %y = ax.mul %r, %s : (tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  ax.return %y : tensor<1x2x3x3xf32>
}

// -----

// Nothing is fused into the smaller operand, past a value that is used twice or returned, or into a max pool.
// CHECK:      ax.graph @main
// CHECK:        [[V:%.*]] = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 :
// CHECK-NEXT:   [[A:%.*]] = ax.add %y, [[V]]
// CHECK-NEXT:   [[U:%.*]] = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 :
// CHECK-NEXT:   [[B:%.*]] = ax.add [[U]], [[U]]
// CHECK-NEXT:   [[R:%.*]] = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 :
// CHECK-NEXT:   [[C:%.*]] = ax.relu [[R]]
// CHECK-NEXT:   [[M:%.*]] = ax.max_pool %x
// CHECK-NEXT:   [[D:%.*]] = ax.relu [[M]]
// CHECK-NEXT:   ax.return [[A]], [[B]], [[R]], [[C]], [[D]]
ax.graph @main(%x: tensor<1x2x1x1xf32> "x", %y: tensor<1x2x3x3xf32> "y") -> ("a", "b", "r", "c", "d") {
  %w = ax.constant dense<2.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x1x1xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x1x1xf32>
  %a = ax.add %y, %v : (tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %u = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x1x1xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x1x1xf32>
  %b = ax.add %u, %u : (tensor<1x2x1x1xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x1x1xf32>
  %r = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x1x1xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x1x1xf32>
  %c = ax.relu %r : tensor<1x2x1x1xf32> -> tensor<1x2x1x1xf32>
  %m = ax.max_pool %x kernel [1, 1] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] : tensor<1x2x1x1xf32> -> tensor<1x2x1x1xf32>
  %d = ax.relu %m : tensor<1x2x1x1xf32> -> tensor<1x2x1x1xf32>
  ax.return %a, %b, %r, %c, %d : tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32>, tensor<1x2x1x1xf32>, tensor<1x2x1x1xf32>, tensor<1x2x1x1xf32>
}

// -----

// An operator of the device has one slope.
// CHECK:      ax.graph @main
// CHECK:        [[V:%.*]] = ax.conv %x, %w strides {{.*}} epilogue <prelu> extras %s :
// CHECK-NEXT:   [[Y:%.*]] = ax.prelu [[V]], %s
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @main(%x: tensor<1x2x1x1xf32> "x") -> ("y") {
  %w = ax.constant dense<2.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %s = ax.constant dense<[[[0.5]], [[0.25]]]> : tensor<2x1x1xf32> : tensor<2x1x1xf32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x1x1xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x1x1xf32>
  %p = ax.prelu %v, %s : (tensor<1x2x1x1xf32>, tensor<2x1x1xf32>) -> tensor<1x2x1x1xf32>
  %q = ax.prelu %p, %s : (tensor<1x2x1x1xf32>, tensor<2x1x1xf32>) -> tensor<1x2x1x1xf32>
  ax.return %q : tensor<1x2x1x1xf32>
}

// -----

// The host's graphs stay as they are.
// CHECK:      ax.graph @postamble
// CHECK:        [[V:%.*]] = ax.conv
// CHECK-NEXT:   ax.relu [[V]]
ax.graph @postamble(%x: tensor<1x1x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<2.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %y = ax.relu %a : tensor<1x1x3x3xf32> -> tensor<1x1x3x3xf32>
  ax.return %y : tensor<1x1x3x3xf32>
}

// -----

// The greater of two convolutions, and the lesser of it and a row.
// CHECK:      ax.graph @main
// CHECK:        [[A:%.*]] = ax.conv %x, %w strides {{.*}} group 1 :
// CHECK-NEXT:   [[B:%.*]] = ax.conv %x, %v strides {{.*}} epilogue <max, min> extras [[A]], %r :
// CHECK-NEXT:   ax.return [[B]]
ax.graph @main(%x: tensor<1x1x3x3xf32> "x", %r: tensor<1x1x1x3xf32> "r") -> ("y") {
  %w = ax.constant dense<2.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %v = ax.constant dense<3.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %a = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %b = ax.conv %x, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %s = ax.max %a, %b : (tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32>
  %y = ax.min %s, %r : (tensor<1x1x3x3xf32>, tensor<1x1x1x3xf32>) -> tensor<1x1x3x3xf32>
  ax.return %y : tensor<1x1x3x3xf32>
}

// -----

// A difference goes to what computes its first operand, not to the other.
// CHECK:      ax.graph @main
// CHECK:        [[A:%.*]] = ax.conv %x, %w strides {{.*}} epilogue <sub> extras %y :
// CHECK-NEXT:   [[B:%.*]] = ax.conv %x, %w strides {{.*}} group 1 :
// CHECK-NEXT:   ax.sub %y, [[B]]
ax.graph @main(%x: tensor<1x1x3x3xf32> "x", %y: tensor<1x1x3x3xf32> "y") -> ("a", "b") {
  %w = ax.constant dense<2.0> : tensor<1x1x1x1xf32> : tensor<1x1x1x1xf32>
  %c = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %a = ax.sub %c, %y : (tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32>
  %d = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x1x3x3xf32>, tensor<1x1x1x1xf32>) -> tensor<1x1x3x3xf32>
  %b = ax.sub %y, %d : (tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>) -> tensor<1x1x3x3xf32>
  ax.return %a, %b : tensor<1x1x3x3xf32>, tensor<1x1x3x3xf32>
}
