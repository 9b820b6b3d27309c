// Tensors whose bytes are only moved share scale and zero point: the range of all of them together.
// RUN: ax-opt %s --split-input-file -p 'quantize{scheme=per_tensor_min_max}' | filecheck %s

// The slice, its input, the pool after it, both concats and all they take are one group: -2.56 to 2.54, 255 steps of 0.02,
// zero at byte 0 (-128 + 2.56 / 0.02). The relu only reads one of them and has its own.
// CHECK: @main(%x: tensor<1x4x2x2x!axq.q<0.02 : 0>> "x", %y: tensor<1x2x2x2x!axq.q<0.02 : 0>> "y")
// CHECK: %part = axq.slice %x {{.*}} -> tensor<1x2x2x2x!axq.q<0.02 : 0>>
// CHECK: %act = axq.map %y epilogue <tanh> : {{.*}} -> tensor<1x2x2x2x!axq.q<0.02 : 0>>
// CHECK: %cat = axq.concat %part, %act axis 1 : {{.*}} -> tensor<1x4x2x2x!axq.q<0.02 : 0>>
// CHECK: %again = axq.concat %y, %act axis 1 : {{.*}} -> tensor<1x4x2x2x!axq.q<0.02 : 0>>
// CHECK: %max = axq.max_pool %cat {{.*}} -> tensor<1x4x1x1x!axq.q<0.02 : 0>>
// CHECK: %own = axq.map %max epilogue <relu> : {{.*}} -> tensor<1x4x1x1x!axq.q<0.01 : -128>>
ax.graph @main(%x: tensor<1x4x2x2xf32> "x", %y: tensor<1x2x2x2xf32> "y") -> ("own", "again")
    attributes {arg_stats = [#ax.stats<-2.56, 0.5>, #ax.stats<0.0, 1.0>]} {
  %part = ax.slice %x starts [0, 0, 0, 0] ends [1, 2, 2, 2] steps [1, 1, 1, 1]
    {ax.stats = #ax.stats<-1.0, 0.5>} : tensor<1x4x2x2xf32> -> tensor<1x2x2x2xf32>
  %act = ax.tanh %y {ax.stats = #ax.stats<0.0, 2.54>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %cat = ax.concat %part, %act axis 1 {ax.stats = #ax.stats<-1.0, 0.5>}
    : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x4x2x2xf32>
  %again = ax.concat %y, %act axis 1 {ax.stats = #ax.stats<-1.0, 0.5>}
    : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x4x2x2xf32>
  %max = ax.max_pool %cat kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1]
    {ax.stats = #ax.stats<-1.0, 0.5>} : tensor<1x4x2x2xf32> -> tensor<1x4x1x1xf32>
  %own = ax.relu %max {ax.stats = #ax.stats<0.0, 2.55>} : tensor<1x4x1x1xf32> -> tensor<1x4x1x1xf32>
  ax.return %own, %again : tensor<1x4x1x1xf32>, tensor<1x4x2x2xf32>
}
