// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// CHECK:      ax.graph @after
// CHECK-DAG:    [[W:%.*]] = ax.constant dense<[{{\[\[\[}}2.000000e+00]], {{\[\[}}4.000000e+00]]], {{\[\[\[}}1.500000e+01]], {{\[\[}}2.000000e+01]]]]> : tensor<2x2x1x1xf32>
// CHECK-DAG:    [[B:%.*]] = ax.constant dense<[3.000000e+00, 1.100000e+01]> : tensor<2xf32>
// CHECK:        [[Y:%.*]] = ax.conv %x, [[W]] bias [[B]]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @after(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %b = ax.constant dense<[1.0, 2.0]> : tensor<2xf32> : tensor<2xf32>
  %s = ax.constant dense<[[[2.0]], [[5.0]]]> : tensor<2x1x1xf32> : tensor<2x1x1xf32>
  %t = ax.constant dense<1.0> : tensor<f32> : tensor<f32>
  %v = ax.conv %x, %w bias %b : tensor<2xf32> strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x5x5xf32>
  %a = ax.mul %v, %s : (tensor<1x2x5x5xf32>, tensor<2x1x1xf32>) -> tensor<1x2x5x5xf32>
  %y = ax.add %a, %t : (tensor<1x2x5x5xf32>, tensor<f32>) -> tensor<1x2x5x5xf32>
  ax.return %y : tensor<1x2x5x5xf32>
}

// The output channels of a transposed convolution are the second axis of its weight, in each group.
// The scale goes into the weights of two groups, which then become those of one, with zeros between the groups.
// CHECK:      ax.graph @after_transposed
// CHECK-NEXT:   [[W:%.*]] = ax.constant dense<{{\[\[\[\[}}2.000000e+00]], {{\[\[}}3.000000e+00]], {{\[\[}}0.000000e+00]], {{\[\[}}0.000000e+00]]], {{\[\[\[}}0.000000e+00]], {{\[\[}}0.000000e+00]], {{\[\[}}5.000000e+00]], {{\[\[}}7.000000e+00]]]]> : tensor<2x4x1x1xf32>
// CHECK-NEXT:   [[Y:%.*]] = ax.conv_transpose %x, [[W]] strides
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @after_transposed(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<1.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %s = ax.constant dense<[[[2.0]], [[3.0]], [[5.0]], [[7.0]]]> : tensor<4x1x1xf32> : tensor<4x1x1xf32>
  %v = ax.conv_transpose %x, %w strides [1, 1] pads [0, 0, 0, 0] output_padding [0, 0] dilations [1, 1] group 2 : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x4x3x3xf32>
  %a = ax.mul %v, %s : (tensor<1x4x3x3xf32>, tensor<4x1x1xf32>) -> tensor<1x4x3x3xf32>
  ax.return %a : tensor<1x4x3x3xf32>
}

// A convolution whose result is used elsewhere keeps it: the scale becomes a convolution of its own.
// CHECK:      ax.graph @after_used_elsewhere
// CHECK:        [[V:%.*]] = ax.conv %x, {{.*}} group 1
// CHECK:        [[A:%.*]] = ax.conv [[V]], {{.*}} group 2
// CHECK-NEXT:   ax.return [[V]], [[A]]
ax.graph @after_used_elsewhere(%x: tensor<1x2x2x2xf32> "x") -> ("v", "y") {
  %w = ax.constant dense<3.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %s = ax.constant dense<2.0> : tensor<f32> : tensor<f32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %a = ax.mul %v, %s : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  ax.return %v, %a : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

// A constant that differs between pixels is no scale of channels, though it has as many elements.
// CHECK:      ax.graph @constant_of_pixels
// CHECK:        [[V:%.*]] = ax.conv %x
// CHECK:        [[A:%.*]] = ax.mul [[V]],
// CHECK-NEXT:   ax.return [[A]]
ax.graph @constant_of_pixels(%x: tensor<1x2x2x2xf32> "x") -> ("y") {
  %w = ax.constant dense<3.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %s = ax.constant dense<[1.0, 2.0]> : tensor<2xf32> : tensor<2xf32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %a = ax.mul %v, %s : (tensor<1x2x2x2xf32>, tensor<2xf32>) -> tensor<1x2x2x2xf32>
  ax.return %a : tensor<1x2x2x2xf32>
}

// Weights that are computed take no scale.
// CHECK:      ax.graph @computed_weight
// CHECK:        [[V:%.*]] = ax.conv %x, %w
// CHECK:        [[A:%.*]] = ax.conv [[V]], {{.*}} group 2
// CHECK-NEXT:   ax.return [[A]]
ax.graph @computed_weight(%x: tensor<1x2x2x2xf32> "x", %w: tensor<2x2x1x1xf32> "w") -> ("y") {
  %s = ax.constant dense<2.0> : tensor<f32> : tensor<f32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %a = ax.mul %v, %s : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  ax.return %a : tensor<1x2x2x2xf32>
}

// (x * s + t) before a convolution without padding: both fold. Input channel i of group g has index 2 g + i.
// CHECK:      ax.graph @before
// CHECK-DAG:    [[W:%.*]] = ax.constant dense<[{{\[\[\[}}2.000000e+00]], {{\[\[}}6.000000e+00]]], {{\[\[\[}}1.500000e+01]], {{\[\[}}2.800000e+01]]]]> : tensor<2x2x1x1xf32>
// CHECK-DAG:    [[B:%.*]] = ax.constant dense<[3.000000e+00, 7.000000e+00]> : tensor<2xf32>
// CHECK:        [[Y:%.*]] = ax.conv %x, [[W]] bias [[B]]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @before(%x: tensor<1x4x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<[[[[1.0]], [[2.0]]], [[[3.0]], [[4.0]]]]> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %s = ax.constant dense<[[[2.0]], [[3.0]], [[5.0]], [[7.0]]]> : tensor<4x1x1xf32> : tensor<4x1x1xf32>
  %t = ax.constant dense<1.0> : tensor<f32> : tensor<f32>
  %a = ax.mul %x, %s : (tensor<1x4x3x3xf32>, tensor<4x1x1xf32>) -> tensor<1x4x3x3xf32>
  %b = ax.add %a, %t : (tensor<1x4x3x3xf32>, tensor<f32>) -> tensor<1x4x3x3xf32>
  %y = ax.conv %b, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2 : (tensor<1x4x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  ax.return %y : tensor<1x2x3x3xf32>
}

// With padding the shift does not fold, since a padded position is 0 and not t: a depthwise convolution does both.
// CHECK:      ax.graph @before_padded
// CHECK:        [[A:%.*]] = ax.conv %x, %{{.*}} bias %{{.*}} pads [0, 0, 0, 0] {{.*}} group 2
// CHECK:        [[Y:%.*]] = ax.conv [[A]], %{{.*}} pads [1, 1, 1, 1]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @before_padded(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<3.0> : tensor<1x2x1x1xf32> : tensor<1x2x1x1xf32>
  %s = ax.constant dense<2.0> : tensor<f32> : tensor<f32>
  %a = ax.mul %x, %s : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %b = ax.add %a, %s : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %y = ax.conv %b, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 : (tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x5x5xf32>
  ax.return %y : tensor<1x1x5x5xf32>
}

// A scale alone folds with padding too.
// CHECK:      ax.graph @scale_before_padded
// CHECK-NEXT:   [[W:%.*]] = ax.constant dense<6.000000e+00> : tensor<1x2x1x1xf32>
// CHECK-NEXT:   ax.conv %x, [[W]]
ax.graph @scale_before_padded(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<3.0> : tensor<1x2x1x1xf32> : tensor<1x2x1x1xf32>
  %s = ax.constant dense<2.0> : tensor<f32> : tensor<f32>
  %a = ax.mul %x, %s : (tensor<1x2x3x3xf32>, tensor<f32>) -> tensor<1x2x3x3xf32>
  %y = ax.conv %a, %w strides [1, 1] pads [1, 1, 1, 1] dilations [1, 1] group 1 : (tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x5x5xf32>
  ax.return %y : tensor<1x1x5x5xf32>
}

// Scale 2 / sqrt(3.75 + 0.25) = 1 and shift 5 - 3 * 1 = 2 for the second channel; 6 and 1 - 0.5 * 6 = -2 for the first.
// CHECK:      ax.graph @batch_norm
// CHECK-DAG:    [[W:%.*]] = ax.constant dense<[{{\[\[\[}}6.000000e+00]]], {{\[\[\[}}1.000000e+00]]]]> : tensor<2x1x1x1xf32>
// CHECK-DAG:    [[B:%.*]] = ax.constant dense<[-2.000000e+00, 2.000000e+00]> : tensor<2xf32>
// CHECK:        [[Y:%.*]] = ax.conv %x, [[W]] bias [[B]]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @batch_norm(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %scale = ax.constant dense<[3.0, 2.0]> : tensor<2xf32> : tensor<2xf32>
  %bias = ax.constant dense<[1.0, 5.0]> : tensor<2xf32> : tensor<2xf32>
  %mean = ax.constant dense<[0.5, 3.0]> : tensor<2xf32> : tensor<2xf32>
  %variance = ax.constant dense<[0.0, 3.75]> : tensor<2xf32> : tensor<2xf32>
  %y = ax.batch_norm %x scale %scale bias %bias mean %mean variance %variance epsilon 0.25 : (tensor<1x2x3x3xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>, tensor<2xf32>) -> tensor<1x2x3x3xf32>
  ax.return %y : tensor<1x2x3x3xf32>
}

// CHECK:      ax.graph @batch_norm_after
// CHECK-DAG:    [[W:%.*]] = ax.constant dense<1.000000e+00> : tensor<1x2x1x1xf32>
// CHECK-DAG:    [[B:%.*]] = ax.constant dense<-1.000000e+00> : tensor<1xf32>
// CHECK:        [[Y:%.*]] = ax.conv %x, [[W]] bias [[B]]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @batch_norm_after(%x: tensor<1x2x3x3xf32> "x") -> ("y") {
  %w = ax.constant dense<2.0> : tensor<1x2x1x1xf32> : tensor<1x2x1x1xf32>
  %one = ax.constant dense<1.0> : tensor<1xf32> : tensor<1xf32>
  %three = ax.constant dense<3.0> : tensor<1xf32> : tensor<1xf32>
  %four = ax.constant dense<4.0> : tensor<1xf32> : tensor<1xf32>
  %v = ax.conv %x, %w bias %one : tensor<1xf32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x3x3xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x3x3xf32>
  %y = ax.batch_norm %v scale %one bias %one mean %three variance %four epsilon 0.0 : (tensor<1x1x3x3xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>, tensor<1xf32>) -> tensor<1x1x3x3xf32>
  %zero = ax.constant dense<-1.0> : tensor<f32> : tensor<f32>
  %z = ax.add %y, %zero : (tensor<1x1x3x3xf32>, tensor<f32>) -> tensor<1x1x3x3xf32>
  ax.return %z : tensor<1x1x3x3xf32>
}

// A mask of one channel for all channels, which the device cannot broadcast itself.
// CHECK:      ax.graph @mask
// CHECK-NEXT:   [[W:%.*]] = ax.constant dense<1.000000e+00> : tensor<2x1x1x1xf32>
// CHECK-NEXT:   [[M:%.*]] = ax.conv %m, [[W]] {{.*}} group 1 : (tensor<1x1x3x3xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x3x3xf32>
// CHECK-NEXT:   [[A:%.*]] = ax.mul %a, [[M]]
// CHECK-NEXT:   [[V:%.*]] = ax.constant dense<1.000000e+00> : tensor<2x1x1x1xf32>
// CHECK-NEXT:   [[N:%.*]] = ax.conv %n, [[V]] {{.*}} -> tensor<1x2x1x1xf32>
// CHECK-NEXT:   [[B:%.*]] = ax.add [[N]], [[A]]
// CHECK-NEXT:   ax.return [[B]]
ax.graph @mask(%a: tensor<1x2x3x3xf32> "a", %m: tensor<1x1x3x3xf32> "m", %n: tensor<1x1x1x1xf32> "n") -> ("y") {
  %y = ax.mul %a, %m : (tensor<1x2x3x3xf32>, tensor<1x1x3x3xf32>) -> tensor<1x2x3x3xf32>
  %z = ax.add %n, %y : (tensor<1x1x1x1xf32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  ax.return %z : tensor<1x2x3x3xf32>
}

// a - b of two activations: a convolution that nothing else reads takes the sign into its weights.
// CHECK:      ax.graph @difference
// CHECK-NEXT:   [[M:%.*]] = ax.constant dense<-1.000000e+00> : tensor<2x1x1x1xf32>
// CHECK-NEXT:   [[N:%.*]] = ax.conv %b, [[M]] {{.*}} group 2
// CHECK-NEXT:   [[Y:%.*]] = ax.add %a, [[N]]
// CHECK-NEXT:   [[V:%.*]] = ax.constant dense<-2.000000e+00> : tensor<2x2x1x1xf32>
// CHECK-NEXT:   [[C:%.*]] = ax.conv %b, [[V]]
// CHECK-NEXT:   [[Z:%.*]] = ax.add [[Y]], [[C]]
// CHECK-NEXT:   ax.return [[Z]]
ax.graph @difference(%a: tensor<1x2x3x3xf32> "a", %b: tensor<1x2x3x3xf32> "b") -> ("y") {
  %w = ax.constant dense<2.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %y = ax.sub %a, %b : (tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %c = ax.conv %b, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %z = ax.sub %y, %c : (tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  ax.return %z : tensor<1x2x3x3xf32>
}

// What a convolution computes, less something, and less what broadcasts, stays: a step of an epilogue.
// CHECK:      ax.graph @difference_of_convolution
// CHECK:        [[C:%.*]] = ax.conv %a,
// CHECK-NEXT:   [[Y:%.*]] = ax.sub [[C]], %b
// CHECK-NEXT:   [[Z:%.*]] = ax.sub [[Y]], %r
// CHECK-NEXT:   ax.return [[Z]]
ax.graph @difference_of_convolution(%a: tensor<1x2x3x3xf32> "a", %b: tensor<1x2x3x3xf32> "b", %r: tensor<1x2x1x3xf32> "r") -> ("y") {
  %w = ax.constant dense<2.0> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %c = ax.conv %a, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x3x3xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x3x3xf32>
  %y = ax.sub %c, %b : (tensor<1x2x3x3xf32>, tensor<1x2x3x3xf32>) -> tensor<1x2x3x3xf32>
  %z = ax.sub %y, %r : (tensor<1x2x3x3xf32>, tensor<1x2x1x3xf32>) -> tensor<1x2x3x3xf32>
  ax.return %z : tensor<1x2x3x3xf32>
}
