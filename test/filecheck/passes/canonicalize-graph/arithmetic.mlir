// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// Rank 3: what remains stays as it is written, and does not become a convolution.

// x - c is x + (-c), and constants that follow each other are one.
// CHECK:      ax.graph @subtract
// CHECK-NEXT:   [[C:%.*]] = ax.constant dense<[-3.500000e+00, -1.500000e+00]>
// CHECK-NEXT:   [[Y:%.*]] = ax.add %x, [[C]]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @subtract(%x: tensor<1x3x2xf32> "x") -> ("y") {
  %c = ax.constant dense<4.0> : tensor<f32> : tensor<f32>
  %d = ax.constant dense<[0.5, 2.5]> : tensor<2xf32> : tensor<2xf32>
  %a = ax.sub %x, %c : (tensor<1x3x2xf32>, tensor<f32>) -> tensor<1x3x2xf32>
  %b = ax.add %d, %a : (tensor<2xf32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  ax.return %b : tensor<1x3x2xf32>
}

// CHECK:      ax.graph @subtract_from
// CHECK-DAG:    [[M:%.*]] = ax.constant dense<-1.000000e+00> : tensor<f32>
// CHECK-DAG:    [[C:%.*]] = ax.constant dense<4.000000e+00> : tensor<f32>
// CHECK:        [[N:%.*]] = ax.mul %x, [[M]]
// CHECK:        [[Y:%.*]] = ax.add [[N]], [[C]]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @subtract_from(%x: tensor<1x3x2xf32> "x") -> ("y") {
  %c = ax.constant dense<4.0> : tensor<f32> : tensor<f32>
  %a = ax.sub %c, %x : (tensor<f32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  ax.return %a : tensor<1x3x2xf32>
}

// CHECK:      ax.graph @divide
// CHECK-NEXT:   [[C:%.*]] = ax.constant dense<7.500000e-01> : tensor<f32>
// CHECK-NEXT:   [[Y:%.*]] = ax.mul %x, [[C]]
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @divide(%x: tensor<1x3x2xf32> "x") -> ("y") {
  %c = ax.constant dense<4.0> : tensor<f32> : tensor<f32>
  %d = ax.constant dense<3.0> : tensor<f32> : tensor<f32>
  %a = ax.div %x, %c : (tensor<1x3x2xf32>, tensor<f32>) -> tensor<1x3x2xf32>
  %b = ax.mul %a, %d : (tensor<1x3x2xf32>, tensor<f32>) -> tensor<1x3x2xf32>
  ax.return %b : tensor<1x3x2xf32>
}

// Division by zero has no reciprocal, and c / x none that is constant.
// CHECK:      ax.graph @divide_otherwise
// CHECK:        [[A:%.*]] = ax.div %x,
// CHECK:        [[B:%.*]] = ax.div %{{.*}}, [[A]]
// CHECK-NEXT:   ax.return [[B]]
ax.graph @divide_otherwise(%x: tensor<1x3x2xf32> "x") -> ("y") {
  %c = ax.constant dense<[1.0, 0.0]> : tensor<2xf32> : tensor<2xf32>
  %d = ax.constant dense<3.0> : tensor<f32> : tensor<f32>
  %a = ax.div %x, %c : (tensor<1x3x2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %b = ax.div %d, %a : (tensor<f32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  ax.return %b : tensor<1x3x2xf32>
}

// CHECK:      ax.graph @neutral
// CHECK-NEXT:   ax.return %x
ax.graph @neutral(%x: tensor<1x3x2xf32> "x") -> ("y") {
  %zero = ax.constant dense<0.0> : tensor<2xf32> : tensor<2xf32>
  %one = ax.constant dense<1.0> : tensor<f32> : tensor<f32>
  %a = ax.add %x, %zero : (tensor<1x3x2xf32>, tensor<2xf32>) -> tensor<1x3x2xf32>
  %b = ax.mul %one, %a : (tensor<f32>, tensor<1x3x2xf32>) -> tensor<1x3x2xf32>
  %c = ax.div %b, %one : (tensor<1x3x2xf32>, tensor<f32>) -> tensor<1x3x2xf32>
  ax.return %c : tensor<1x3x2xf32>
}

// Adding zeros can still broadcast.
// CHECK:      ax.graph @broadcast
// CHECK:        ax.add
ax.graph @broadcast(%x: tensor<1x1x2xf32> "x") -> ("y") {
  %zero = ax.constant dense<0.0> : tensor<3x1xf32> : tensor<3x1xf32>
  %a = ax.add %x, %zero : (tensor<1x1x2xf32>, tensor<3x1xf32>) -> tensor<1x3x2xf32>
  ax.return %a : tensor<1x3x2xf32>
}

// Two constants in a row are not merged where the value between them is used.
// CHECK:      ax.graph @used_between
// CHECK:        [[A:%.*]] = ax.add %x,
// CHECK:        ax.add [[A]],
ax.graph @used_between(%x: tensor<1x3x2xf32> "x") -> ("y", "z") {
  %c = ax.constant dense<4.0> : tensor<f32> : tensor<f32>
  %a = ax.add %x, %c : (tensor<1x3x2xf32>, tensor<f32>) -> tensor<1x3x2xf32>
  %b = ax.add %a, %c : (tensor<1x3x2xf32>, tensor<f32>) -> tensor<1x3x2xf32>
  ax.return %a, %b : tensor<1x3x2xf32>, tensor<1x3x2xf32>
}
