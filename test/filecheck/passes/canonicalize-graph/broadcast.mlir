// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// A constant of positions gets four dimensions and every channel; what it repeats along rows or columns stays one.
// CHECK:      ax.graph @positions
// CHECK-NEXT:   [[A:%.*]] = ax.constant dense<{{\[\[\[\[1.000000e\+00, 2.000000e\+00\]\], \[\[1.000000e\+00, 2.000000e\+00\]\]\]\]}}> : tensor<1x2x1x2xf32>
// CHECK-NEXT:   ax.add %x, [[A]]
// CHECK-NEXT:   [[B:%.*]] = ax.constant {{.*}} : tensor<1x2x3x1xf32>
// CHECK-NEXT:   ax.mul %x, [[B]]
// CHECK-NEXT:   [[C:%.*]] = ax.constant {{.*}} : tensor<1x2x1x2xf32>
// CHECK-NEXT:   ax.add %c, [[C]] : (tensor<1x2x3x1xf32>, tensor<1x2x1x2xf32>) -> tensor<1x2x3x2xf32>
// CHECK-NEXT:   ax.return
ax.graph @positions(%x: tensor<1x2x3x2xf32> "x", %c: tensor<1x2x3x1xf32> "c") -> ("a", "b", "c2") {
  %row = ax.constant dense<[1.0, 2.0]> : tensor<2xf32> : tensor<2xf32>
  %a = ax.add %row, %x : (tensor<2xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x2xf32>
  %column = ax.constant dense<[[[1.0], [2.0], [3.0]]]> : tensor<1x3x1xf32> : tensor<1x3x1xf32>
  %b = ax.mul %x, %column : (tensor<1x2x3x2xf32>, tensor<1x3x1xf32>) -> tensor<1x2x3x2xf32>
  %d = ax.sub %c, %row : (tensor<1x2x3x1xf32>, tensor<2xf32>) -> tensor<1x2x3x2xf32>
  ax.return %a, %b, %d : tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>
}

// One channel is repeated by a convolution, which takes a number a channel as well. An expanded tensor is a sum with zeros.
// CHECK:      ax.graph @channels
// CHECK:        [[M:%.*]] = ax.conv %m, {{.*}} -> tensor<1x2x3x2xf32>
// CHECK-NEXT:   ax.mul %g, [[M]] : (tensor<1x2x1x1xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x2xf32>
// CHECK:        ax.conv %m, {{.*}} bias {{.*}} -> tensor<1x2x3x2xf32>
// CHECK:        ax.constant dense<0.000000e+00> : tensor<1x2x3x1xf32>
// CHECK-NEXT:   [[E:%.*]] = ax.add %g, {{.*}} -> tensor<1x2x3x1xf32>
// CHECK-NEXT:   ax.constant dense<0.000000e+00> : tensor<1x2x1x2xf32>
// CHECK-NEXT:   ax.add [[E]], {{.*}} -> tensor<1x2x3x2xf32>
// CHECK-NEXT:   ax.return
ax.graph @channels(%m: tensor<1x1x3x2xf32> "m", %g: tensor<1x2x1x1xf32> "g") -> ("a", "b", "c") {
  %a = ax.mul %g, %m : (tensor<1x2x1x1xf32>, tensor<1x1x3x2xf32>) -> tensor<1x2x3x2xf32>
  %vector = ax.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32> : tensor<2x1x1xf32>
  %b = ax.add %m, %vector : (tensor<1x1x3x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x3x2xf32>
  %c = ax.expand %g shape [1, 2, 3, 2] : tensor<1x2x1x1xf32> -> tensor<1x2x3x2xf32>
  ax.return %a, %b, %c : tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>
}

// A maximum takes a number a channel as a tensor, one number as a clip.
// CHECK:      ax.graph @extremes
// CHECK-NEXT:   [[A:%.*]] = ax.constant {{.*}} : tensor<1x2x1x1xf32>
// CHECK-NEXT:   [[M:%.*]] = ax.max %x, [[A]]
// CHECK-NEXT:   ax.clip [[M]] min {{.*}} max 3.000000e+00
// CHECK:        [[W:%.*]] = ax.conv %m,
// CHECK-NEXT:   ax.min %x, [[W]]
// CHECK-NEXT:   ax.return
ax.graph @extremes(%x: tensor<1x2x3x2xf32> "x", %m: tensor<1x1x3x2xf32> "m") -> ("a", "b") {
  %vector = ax.constant dense<[[[1.0]], [[2.0]]]> : tensor<2x1x1xf32> : tensor<2x1x1xf32>
  %v = ax.max %vector, %x : (tensor<2x1x1xf32>, tensor<1x2x3x2xf32>) -> tensor<1x2x3x2xf32>
  %three = ax.constant dense<3.0> : tensor<f32> : tensor<f32>
  %a = ax.min %v, %three : (tensor<1x2x3x2xf32>, tensor<f32>) -> tensor<1x2x3x2xf32>
  %b = ax.min %x, %m : (tensor<1x2x3x2xf32>, tensor<1x1x3x2xf32>) -> tensor<1x2x3x2xf32>
  ax.return %a, %b : tensor<1x2x3x2xf32>, tensor<1x2x3x2xf32>
}

// Other ranks and batches stay as they are.
// CHECK:      ax.graph @others
// CHECK-NEXT:   ax.expand %t
// CHECK-NEXT:   [[C:%.*]] = ax.constant {{.*}} : tensor<2xf32>
// CHECK-NEXT:   ax.add %t, [[C]]
// CHECK-NEXT:   ax.constant
// CHECK-NEXT:   ax.add %x
// CHECK-NEXT:   ax.return
ax.graph @others(%t: tensor<3x2xf32> "t", %x: tensor<1x2x3x2xf32> "x") -> ("a", "b", "c") {
  %a = ax.expand %t shape [4, 3, 2] : tensor<3x2xf32> -> tensor<4x3x2xf32>
  %row = ax.constant dense<[1.0, 2.0]> : tensor<2xf32> : tensor<2xf32>
  %b = ax.add %t, %row : (tensor<3x2xf32>, tensor<2xf32>) -> tensor<3x2xf32>
  %batch = ax.constant dense<[[[[1.0]]], [[[2.0]]]]> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  %c = ax.add %x, %batch : (tensor<1x2x3x2xf32>, tensor<2x1x1x1xf32>) -> tensor<2x2x3x2xf32>
  ax.return %a, %b, %c : tensor<4x3x2xf32>, tensor<3x2xf32>, tensor<2x2x3x2xf32>
}
