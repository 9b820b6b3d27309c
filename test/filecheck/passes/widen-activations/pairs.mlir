// RUN: ax-opt %s -p 'widen-activations{widened-layers="first" scheme=per_tensor_min_max}' --print-debuginfo | filecheck %s
// RUN: ax-opt %s -p widen-activations | filecheck %s --check-prefix=OFF
// RUN: ax-opt %s -p 'widen-activations{widened-layers="first" scheme=per_tensor_min_max},widen-activations{widened-layers="first" scheme=per_tensor_min_max}' --print-debuginfo | filecheck %s
// RUN: ax-opt %s -p 'widen-activations{widened-layers="first" scheme=per_tensor_min_max},quantize{scheme=per_tensor_min_max}' | filecheck %s --check-prefix=INT8

// OFF-NOT: scale(-1.0)

// The steps of the first result are 5.1 / 255 = 0.02: rounding takes away at most 0.01. A sum of two such values times 3
// and -4 has a deviation of 5 * 0.02 / sqrt(12) = 0.0289, four of which are 0.115; the second channel's weights are 0.
ax.graph @main(%x: tensor<1x1x2x2xf32> "x") -> ("y", "z", "m") attributes {arg_stats = [#ax.stats<0.0, 2.55>]} {
  %w = ax.constant dense<[[[[1.0]]], [[[2.0]]]]> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  // CHECK: %t = ax.conv %x, %w strides {{.*}} group 1 epilogue <relu> {ax.stats = #ax.stats<0.0, 5.1>} : {{.*}} loc("first")
  // CHECK-NEXT: %[[LOW:.*]] = ax.conv %x, %w {{.*}} epilogue <relu, scale(-1.0), add, scale(-1.0)> extras %t : {{.*}} {ax.stats = #ax.stats<-0.0099999{{[0-9]*}}, 0.0099999{{[0-9]*}}, histogram {{.*}}, channels dense<{{\[\[}}-1.000000e-02, -1.000000e-02], [1.000000e-02, 1.000000e-02]]> {{.*}} loc("first.low")
  // INT8: %t = axq.conv %x weight [[W:.*]] epilogue <relu> : {{.*}} -> tensor<1x2x2x2x!axq.q<0.02 : -128>>
  // INT8: axq.conv %x weight [[W]] epilogue <relu, scale(-1.0), add, scale(-1.0)> extras %t : {{.*}} -> tensor<1x2x2x2x!axq.q<7.843137{{[0-9]*}}e-05 : -1>>
  %t = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <relu> {ax.stats = #ax.stats<0.0, 5.1>} : (tensor<1x1x2x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x2x2xf32> loc("first")
  // CHECK: %v = ax.constant
  %v = ax.constant dense<[[[[3.0]], [[-4.0]]], [[[0.0]], [[0.0]]]]> : tensor<2x2x1x1xf32> : tensor<2x2x1x1xf32>
  %b = ax.constant dense<[1.0, 1.0]> : tensor<2xf32> : tensor<2xf32>
  // CHECK: %[[P:.*]] = ax.conv %[[LOW]], %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 {ax.stats = #ax.stats<-0.11547{{[0-9]*}}, 0.11547{{[0-9]*}}, {{.*}} loc("second.low_input")
  // CHECK-NEXT: %y = ax.conv %t, %v bias %b : tensor<2xf32> {{.*}} epilogue <add, relu> extras %[[P]] : {{.*}} loc("second")
  %y = ax.conv %t, %v bias %b : tensor<2xf32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <relu> {ax.stats = #ax.stats<0.0, 10.0>} : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32> loc("second")
  // CHECK-NEXT: %z = ax.conv %y, %v {{.*}} epilogue <add, add, relu> extras %t, %[[LOW]] : {{.*}} loc("third")
  %z = ax.conv %y, %v strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <add, relu> extras %t : tensor<1x2x2x2xf32> {ax.stats = #ax.stats<0.0, 10.0>} : (tensor<1x2x2x2xf32>, tensor<2x2x1x1xf32>) -> tensor<1x2x2x2xf32> loc("third")
  // What cannot take it reads the first tensor alone.
  // CHECK-NEXT: %m = ax.max_pool %t
  %m = ax.max_pool %t kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] {ax.stats = #ax.stats<0.0, 5.1>} : tensor<1x2x2x2xf32> -> tensor<1x2x1x1xf32>
  ax.return %y, %z, %m : tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>, tensor<1x2x1x1xf32>
}
