// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// CHECK:      ax.graph @silu
// CHECK-NEXT:   [[A:%.*]] = ax.silu %x
// CHECK-NEXT:   [[B:%.*]] = ax.silu [[A]]
// CHECK-NEXT:   ax.return [[B]]
ax.graph @silu(%x: tensor<1x2x2x2xf32> "x") -> ("y") {
  %s = ax.sigmoid %x : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %a = ax.mul %x, %s : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %t = ax.sigmoid %a : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %b = ax.mul %t, %a : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  ax.return %b : tensor<1x2x2x2xf32>
}

// A gate of another tensor is no activation function.
// CHECK:      ax.graph @gate
// CHECK-NEXT:   [[S:%.*]] = ax.sigmoid %g
// CHECK-NEXT:   ax.mul %x, [[S]]
ax.graph @gate(%x: tensor<1x2x2x2xf32> "x", %g: tensor<1x2x1x1xf32> "g") -> ("y") {
  %s = ax.sigmoid %g : tensor<1x2x1x1xf32> -> tensor<1x2x1x1xf32>
  %a = ax.mul %x, %s : (tensor<1x2x2x2xf32>, tensor<1x2x1x1xf32>) -> tensor<1x2x2x2xf32>
  ax.return %a : tensor<1x2x2x2xf32>
}

// x * clip(x + 3, 0, 6) / 6, as PaddlePaddle writes it
// CHECK:      ax.graph @hard_swish
// CHECK-NEXT:   [[Y:%.*]] = ax.hard_swish %x
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @hard_swish(%x: tensor<1x2x2x2xf32> "x") -> ("y") {
  %three = ax.constant dense<3.0> : tensor<f32> : tensor<f32>
  %six = ax.constant dense<6.0> : tensor<f32> : tensor<f32>
  %a = ax.add %x, %three : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  %b = ax.clip %a min 0.0 max 6.0 : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %c = ax.mul %x, %b : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %d = ax.div %c, %six : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  ax.return %d : tensor<1x2x2x2xf32>
}

// x * (clip(x + 3, 0, 6) / 6), with relu and clip apart
// CHECK:      ax.graph @hard_swish_of_quotient
// CHECK-NEXT:   [[Y:%.*]] = ax.hard_swish %x
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @hard_swish_of_quotient(%x: tensor<1x2x2x2xf32> "x") -> ("y") {
  %three = ax.constant dense<3.0> : tensor<f32> : tensor<f32>
  %six = ax.constant dense<6.0> : tensor<f32> : tensor<f32>
  %a = ax.add %three, %x : (tensor<f32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %r = ax.relu %a : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %b = ax.clip %r min -3.4028234663852886e+38 max 6.0 : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %c = ax.div %b, %six : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  %d = ax.mul %x, %c : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  ax.return %d : tensor<1x2x2x2xf32>
}

// (x * 0.16667) * clip(x + 3, 0, 6): the number may be anywhere in the product, and be rounded.
// CHECK:      ax.graph @hard_swish_rounded
// CHECK-NEXT:   [[Y:%.*]] = ax.hard_swish %x
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @hard_swish_rounded(%x: tensor<1x2x2x2xf32> "x") -> ("y") {
  %three = ax.constant dense<3.0> : tensor<f32> : tensor<f32>
  %sixth = ax.constant dense<0.16667> : tensor<f32> : tensor<f32>
  %a = ax.add %x, %three : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  %b = ax.clip %a min 0.0 max 6.0 : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %c = ax.mul %x, %sixth : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  %d = ax.mul %c, %b : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  ax.return %d : tensor<1x2x2x2xf32>
}

// x * hard_sigmoid(x), with alpha 1/6 only
// CHECK:      ax.graph @hard_swish_of_hard_sigmoid
// CHECK-NEXT:   [[A:%.*]] = ax.hard_swish %x
// CHECK-NEXT:   [[H:%.*]] = ax.hard_sigmoid [[A]] alpha 2.000000e-01
// CHECK-NEXT:   [[B:%.*]] = ax.mul [[H]], [[A]]
// CHECK-NEXT:   ax.return [[B]]
ax.graph @hard_swish_of_hard_sigmoid(%x: tensor<1x2x2x2xf32> "x") -> ("y") {
  %h = ax.hard_sigmoid %x alpha 0.1666666716337204 beta 0.5 : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %a = ax.mul %x, %h : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %k = ax.hard_sigmoid %a alpha 0.2 beta 0.5 : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %b = ax.mul %k, %a : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  ax.return %b : tensor<1x2x2x2xf32>
}

// clip(x + 4, 0, 6) is not that of a hard swish.
// CHECK:      ax.graph @no_hard_swish
// CHECK-NOT:    hard
// CHECK:        ax.clip
// CHECK-NOT:    hard
// CHECK:        ax.return
ax.graph @no_hard_swish(%x: tensor<1x2x2x2xf32> "x") -> ("y") {
  %four = ax.constant dense<4.0> : tensor<f32> : tensor<f32>
  %sixth = ax.constant dense<0.16666667> : tensor<f32> : tensor<f32>
  %a = ax.add %x, %four : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  %b = ax.clip %a min 0.0 max 6.0 : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %c = ax.mul %x, %b : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %d = ax.mul %c, %sixth : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  ax.return %d : tensor<1x2x2x2xf32>
}

// clip(x + 3, 0, 6) / 6, after a convolution whose bias could take the 3: the activation is worth more.
// CHECK:      ax.graph @hard_sigmoid
// CHECK:        [[C:%.*]] = ax.conv
// CHECK-NEXT:   [[Y:%.*]] = ax.hard_sigmoid [[C]] alpha 0.16666666666666666 beta 5.000000e-01
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @hard_sigmoid(%x: tensor<1x2x2x2xf32> "x") -> ("y") {
  %w = ax.constant dense<[[[[1.0]], [[2.0]]]]> : tensor<1x2x1x1xf32> : tensor<1x2x1x1xf32>
  %three = ax.constant dense<3.0> : tensor<f32> : tensor<f32>
  %six = ax.constant dense<6.0> : tensor<f32> : tensor<f32>
  %v = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 : (tensor<1x2x2x2xf32>, tensor<1x2x1x1xf32>) -> tensor<1x1x2x2xf32>
  %a = ax.add %v, %three : (tensor<1x1x2x2xf32>, tensor<f32>) -> tensor<1x1x2x2xf32>
  %b = ax.clip %a min 0.0 max 6.0 : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32>
  %c = ax.div %b, %six : (tensor<1x1x2x2xf32>, tensor<f32>) -> tensor<1x1x2x2xf32>
  ax.return %c : tensor<1x1x2x2xf32>
}

// clip(a * x + b, 0, 1); without the product, a clip is as good.
// CHECK:      ax.graph @hard_sigmoid_of_affine
// CHECK-NEXT:   [[A:%.*]] = ax.hard_sigmoid %x alpha 2.500000e-01 beta 3.750000e-01
// CHECK:        [[B:%.*]] = ax.clip {{.*}} min 0.000000e+00 max 1.000000e+00
// CHECK-NEXT:   ax.return [[A]], [[B]]
ax.graph @hard_sigmoid_of_affine(%x: tensor<1x2x2x2xf32> "x") -> ("y", "z") {
  %alpha = ax.constant dense<0.25> : tensor<f32> : tensor<f32>
  %beta = ax.constant dense<0.375> : tensor<f32> : tensor<f32>
  %a = ax.mul %x, %alpha : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  %b = ax.add %a, %beta : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  %c = ax.clip %b min 0.0 max 1.0 : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %d = ax.add %x, %beta : (tensor<1x2x2x2xf32>, tensor<f32>) -> tensor<1x2x2x2xf32>
  %e = ax.clip %d min 0.0 max 1.0 : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  ax.return %c, %e : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>
}

// CHECK:      ax.graph @prelu
// CHECK:        [[S:%.*]] = ax.constant dense<{{.*}}1.250000e-01{{.*}}2.500000e-01
// CHECK:        [[A:%.*]] = ax.leaky_relu %x alpha 1.250000e-01
// CHECK-NEXT:   [[B:%.*]] = ax.prelu [[A]], [[S]]
// CHECK-NEXT:   ax.return [[B]]
ax.graph @prelu(%x: tensor<1x2x2x2xf32> "x") -> ("y") {
  %one = ax.constant dense<0.125> : tensor<1xf32> : tensor<1xf32>
  %each = ax.constant dense<[[[0.125]], [[0.25]]]> : tensor<2x1x1xf32> : tensor<2x1x1xf32>
  %a = ax.prelu %x, %one : (tensor<1x2x2x2xf32>, tensor<1xf32>) -> tensor<1x2x2x2xf32>
  %b = ax.prelu %a, %each : (tensor<1x2x2x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x2x2xf32>
  ax.return %b : tensor<1x2x2x2xf32>
}
