// Every operation of the graph dialect prints as it is written and parses again.
// RUN: ax-opt %s | ax-opt | filecheck %s
// RUN: ax-opt %s --print-generic | ax-opt | filecheck %s

// CHECK: ax.graph @empty() -> () {
// CHECK-NEXT: ax.return
ax.graph @empty() -> () {
  ax.return
}

// CHECK: ax.graph @main(%x: tensor<1x4x8x8xf32> "images", %m: tensor<3x5xf32> "a \22name\22") -> ("y") attributes {arg_stats = [#ax.stats<-1.0, 2.0>]} {
ax.graph @main(%x: tensor<1x4x8x8xf32> "images", %m: tensor<3x5xf32> "a \"name\"") -> ("y") attributes {arg_stats = [#ax.stats<-1.0, 2.0>]} {
  // CHECK-NEXT: %w = ax.constant #ax.weight<"00112233445566778899aabbccddeeff", tensor<6x4x3x3xf32>> : tensor<6x4x3x3xf32>
  %w = ax.constant #ax.weight<"00112233445566778899aabbccddeeff", tensor<6x4x3x3xf32>> : tensor<6x4x3x3xf32>
  // CHECK-NEXT: %b = ax.constant dense<[0.000000e+00, 1.000000e+00, 2.000000e+00, 3.000000e+00, 4.000000e+00, 5.000000e-01]> : tensor<6xf32> : tensor<6xf32>
  %b = ax.constant dense<[0.0, 1.0, 2.0, 3.0, 4.0, 0.5]> : tensor<6xf32> : tensor<6xf32>
  // CHECK-NEXT: %four = ax.constant dense<1.000000e+00> : tensor<4xf32> : tensor<4xf32>
  %four = ax.constant dense<1.0> : tensor<4xf32> : tensor<4xf32>
  // CHECK-NEXT: %none = ax.constant dense<> : tensor<0xf32> : tensor<0xf32>
  %none = ax.constant dense<> : tensor<0xf32> : tensor<0xf32>

  // CHECK-NEXT: %conv = ax.conv %x, %w strides [1, 2] pads [1, 0, 1, 2] dilations [1, 1] group 1 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x8x4xf32>
  %conv = ax.conv %x, %w strides [1, 2] pads [1, 0, 1, 2] dilations [1, 1] group 1 : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x8x4xf32>
  // CHECK-NEXT: %bias = ax.conv %x, %w bias %b : tensor<6xf32> strides [1, 1] pads [0, 0, 0, 0] dilations [2, 1] group 1 epilogue <relu> {ax.stats = #ax.stats<0.0, 6.0, histogram dense<[1, 2]> : tensor<2xi64>, channels dense<[[0.000000e+00, 1.000000e+00], [2.000000e+00, 3.000000e+00]]> : tensor<2x2xf32>>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x4x6xf32>
  %bias = ax.conv %x, %w bias %b : tensor<6xf32> strides [1, 1] pads [0, 0, 0, 0] dilations [2, 1] group 1 epilogue <relu> {ax.stats = #ax.stats<0.0, 6.0, histogram dense<[1, 2]> : tensor<2xi64>, channels dense<[[0.000000e+00, 1.000000e+00], [2.000000e+00, 3.000000e+00]]> : tensor<2x2xf32>>} : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x4x6xf32>
  // CHECK-NEXT: %fused = ax.conv %x, %w bias %b : tensor<6xf32> strides [1, 1] pads [0, 0, 0, 0] dilations [2, 1] group 1 epilogue <add, clip(0.0, 6.0), mul, silu> extras %bias, %bias : tensor<1x6x4x6xf32>, tensor<1x6x4x6xf32> : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x4x6xf32>
  %fused = ax.conv %x, %w bias %b : tensor<6xf32> strides [1, 1] pads [0, 0, 0, 0] dilations [2, 1] group 1 epilogue <add, clip(0.0, 6.0), mul, silu> extras %bias, %bias : tensor<1x6x4x6xf32>, tensor<1x6x4x6xf32> : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x4x6xf32>
  // CHECK-NEXT: %all = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <scale(-0.5), relu, leaky_relu(0.1), hard_sigmoid(0.2, 0.5), hard_swish, sigmoid, tanh, clip(-1.0e-30, 3.5e+38)> : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  %all = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1 epilogue <scale(-0.5), relu, leaky_relu(0.1), hard_sigmoid(0.2, 0.5), hard_swish, sigmoid, tanh, clip(-1.0e-30, 3.5e38)> : (tensor<1x4x8x8xf32>, tensor<6x4x3x3xf32>) -> tensor<1x6x6x6xf32>
  // CHECK-NEXT: %up = ax.conv_transpose %bias, %w bias %four : tensor<4xf32> strides [2, 2] pads [0, 0, 1, 0] output_padding [1, 0] dilations [1, 1] group 1 : (tensor<1x6x4x6xf32>, tensor<6x4x3x3xf32>) -> tensor<1x4x9x13xf32>
  %up = ax.conv_transpose %bias, %w bias %four : tensor<4xf32> strides [2, 2] pads [0, 0, 1, 0] output_padding [1, 0] dilations [1, 1] group 1 : (tensor<1x6x4x6xf32>, tensor<6x4x3x3xf32>) -> tensor<1x4x9x13xf32>
  // CHECK-NEXT: %up_add = ax.conv_transpose %bias, %w strides [2, 2] pads [0, 0, 1, 0] output_padding [1, 0] dilations [1, 1] group 1 epilogue <add> extras %up : tensor<1x4x9x13xf32> : (tensor<1x6x4x6xf32>, tensor<6x4x3x3xf32>) -> tensor<1x4x9x13xf32>
  %up_add = ax.conv_transpose %bias, %w strides [2, 2] pads [0, 0, 1, 0] output_padding [1, 0] dilations [1, 1] group 1 epilogue <add> extras %up : tensor<1x4x9x13xf32> : (tensor<1x6x4x6xf32>, tensor<6x4x3x3xf32>) -> tensor<1x4x9x13xf32>

  // CHECK-NEXT: %t = ax.transpose %m perm [1, 0] : tensor<3x5xf32> -> tensor<5x3xf32>
  %t = ax.transpose %m perm [1, 0] : tensor<3x5xf32> -> tensor<5x3xf32>
  // CHECK-NEXT: %mm = ax.matmul %m, %t : (tensor<3x5xf32>, tensor<5x3xf32>) -> tensor<3x3xf32>
  %mm = ax.matmul %m, %t : (tensor<3x5xf32>, tensor<5x3xf32>) -> tensor<3x3xf32>
  // CHECK-NEXT: %g = ax.gemm %m, %m alpha 1.000000e+00 beta 1.000000e+00 trans_a false trans_b true : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x3xf32>
  %g = ax.gemm %m, %m alpha 1.0 beta 1.0 trans_a false trans_b true : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x3xf32>
  // CHECK-NEXT: %gc = ax.gemm %m, %m plus %mm : tensor<3x3xf32> alpha 5.000000e-01 beta 2.000000e+00 trans_a false trans_b true : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x3xf32>
  %gc = ax.gemm %m, %m plus %mm : tensor<3x3xf32> alpha 0.5 beta 2.0 trans_a false trans_b true : (tensor<3x5xf32>, tensor<3x5xf32>) -> tensor<3x3xf32>
  // CHECK-NEXT: %bn = ax.batch_norm %x scale %four bias %four mean %four variance %four epsilon 1.000000e-05 : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>
  %bn = ax.batch_norm %x scale %four bias %four mean %four variance %four epsilon 1.0e-5 : (tensor<1x4x8x8xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>, tensor<4xf32>) -> tensor<1x4x8x8xf32>

  // CHECK-NEXT: %mp = ax.max_pool %x kernel [3, 2] strides [2, 2] pads [1, 0, 1, 0] dilations [1, 2] : tensor<1x4x8x8xf32> -> tensor<1x4x4x3xf32>
  %mp = ax.max_pool %x kernel [3, 2] strides [2, 2] pads [1, 0, 1, 0] dilations [1, 2] : tensor<1x4x8x8xf32> -> tensor<1x4x4x3xf32>
  // CHECK-NEXT: %ap = ax.avg_pool %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] count_include_pad false : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  %ap = ax.avg_pool %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] count_include_pad false : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  // CHECK-NEXT: %apm = ax.avg_pool %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] count_include_pad true epilogue <mul> extras %ap : tensor<1x4x4x4xf32> : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  %apm = ax.avg_pool %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1] count_include_pad true epilogue <mul> extras %ap : tensor<1x4x4x4xf32> : tensor<1x4x8x8xf32> -> tensor<1x4x4x4xf32>
  // CHECK-NEXT: %ga = ax.global_avg_pool %x : tensor<1x4x8x8xf32> -> tensor<1x4x1x1xf32>
  %ga = ax.global_avg_pool %x : tensor<1x4x8x8xf32> -> tensor<1x4x1x1xf32>
  // CHECK-NEXT: %gm = ax.global_max_pool %x : tensor<1x4x8x8xf32> -> tensor<1x4x1x1xf32>
  %gm = ax.global_max_pool %x : tensor<1x4x8x8xf32> -> tensor<1x4x1x1xf32>
  // CHECK-NEXT: %rm = ax.reduce %x mean axes [2, 3] keepdims false : tensor<1x4x8x8xf32> -> tensor<1x4xf32>
  %rm = ax.reduce %x mean axes [2, 3] keepdims false : tensor<1x4x8x8xf32> -> tensor<1x4xf32>

  // CHECK-NEXT: %fm = ax.constant dense<1.000000e+00> : tensor<5xf32> : tensor<5xf32>
  %fm = ax.constant dense<1.0> : tensor<5xf32> : tensor<5xf32>
  // CHECK-NEXT: %rs = ax.reduce %x sum axes [1] keepdims true : tensor<1x4x8x8xf32> -> tensor<1x1x8x8xf32>
  %rs = ax.reduce %x sum axes [1] keepdims true : tensor<1x4x8x8xf32> -> tensor<1x1x8x8xf32>
  // CHECK-NEXT: %rmax = ax.reduce %x max axes [0, 1, 2, 3] keepdims false : tensor<1x4x8x8xf32> -> tensor<f32>
  %rmax = ax.reduce %x max axes [0, 1, 2, 3] keepdims false : tensor<1x4x8x8xf32> -> tensor<f32>
  // CHECK-NEXT: %rmin = ax.reduce %m min axes [0] keepdims false : tensor<3x5xf32> -> tensor<5xf32>
  %rmin = ax.reduce %m min axes [0] keepdims false : tensor<3x5xf32> -> tensor<5xf32>
  // CHECK-NEXT: %max = ax.max %x, %x : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %max = ax.max %x, %x : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  // CHECK-NEXT: %min = ax.min %x, %x : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %min = ax.min %x, %x : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  // CHECK-NEXT: %norm = ax.normalize %x axes [1, 2, 3] epsilon 1.000000e-05 : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %norm = ax.normalize %x axes [1, 2, 3] epsilon 1.000000e-05 : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  // CHECK-NEXT: %norms = ax.normalize %m scale %fm : tensor<5xf32> axes [1] epsilon 1.000000e-05 : tensor<3x5xf32> -> tensor<3x5xf32>
  %norms = ax.normalize %m scale %fm : tensor<5xf32> axes [1] epsilon 1.000000e-05 : tensor<3x5xf32> -> tensor<3x5xf32>
  // CHECK-NEXT: %normb = ax.normalize %m bias %fm : tensor<5xf32> axes [1] epsilon 1.000000e-05 : tensor<3x5xf32> -> tensor<3x5xf32>
  %normb = ax.normalize %m bias %fm : tensor<5xf32> axes [1] epsilon 1.000000e-05 : tensor<3x5xf32> -> tensor<3x5xf32>
  // CHECK-NEXT: %normsb = ax.normalize %m scale %fm : tensor<5xf32> bias %fm : tensor<5xf32> axes [1] epsilon 0.000000e+00 : tensor<3x5xf32> -> tensor<3x5xf32>
  %normsb = ax.normalize %m scale %fm : tensor<5xf32> bias %fm : tensor<5xf32> axes [1] epsilon 0.000000e+00 : tensor<3x5xf32> -> tensor<3x5xf32>
  // CHECK-NEXT: %u = ax.unary %x <gelu> : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %u = ax.unary %x <gelu> : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  // CHECK-NEXT: %elu = ax.unary %x <elu(0.5)> : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %elu = ax.unary %x <elu(0.5)> : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  // CHECK-NEXT: %selu = ax.unary %x <selu(1.6732631921768188, 1.0507010221481323)> : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  %selu = ax.unary %x <selu(1.6732631921768188, 1.0507010221481323)> : tensor<1x4x8x8xf32> -> tensor<1x4x8x8xf32>
  // CHECK-NEXT: %reflect = ax.pad %x pads [0, 0, 1, 1, 0, 0, 2, 7] value 0.000000e+00 mode reflect : tensor<1x4x8x8xf32> -> tensor<1x4x11x16xf32>
  %reflect = ax.pad %x pads [0, 0, 1, 1, 0, 0, 2, 7] value 0.000000e+00 mode reflect : tensor<1x4x8x8xf32> -> tensor<1x4x11x16xf32>
  // CHECK-NEXT: %edge = ax.pad %x pads [0, 0, 1, 1, 0, 0, 2, 9] value 0.000000e+00 mode edge : tensor<1x4x8x8xf32> -> tensor<1x4x11x18xf32>
  %edge = ax.pad %x pads [0, 0, 1, 1, 0, 0, 2, 9] value 0.000000e+00 mode edge : tensor<1x4x8x8xf32> -> tensor<1x4x11x18xf32>
  // CHECK-NEXT: %gather = ax.gather %x axis 1 indices [3, 0, 0] : tensor<1x4x8x8xf32> -> tensor<1x3x8x8xf32>
  %gather = ax.gather %x axis 1 indices [3, 0, 0] : tensor<1x4x8x8xf32> -> tensor<1x3x8x8xf32>
  // CHECK-NEXT: %expand = ax.expand %m shape [2, 3, 5] : tensor<3x5xf32> -> tensor<2x3x5xf32>
  %expand = ax.expand %m shape [2, 3, 5] : tensor<3x5xf32> -> tensor<2x3x5xf32>
  // CHECK-NEXT: %d2s = ax.depth_to_space %x block 2 order crd : tensor<1x4x8x8xf32> -> tensor<1x1x16x16xf32>
  %d2s = ax.depth_to_space %x block 2 order crd : tensor<1x4x8x8xf32> -> tensor<1x1x16x16xf32>
  // CHECK-NEXT: %s2d = ax.space_to_depth %x block 4 order dcr : tensor<1x4x8x8xf32> -> tensor<1x64x2x2xf32>
  %s2d = ax.space_to_depth %x block 4 order dcr : tensor<1x4x8x8xf32> -> tensor<1x64x2x2xf32>
  // CHECK-NEXT: %near = ax.resize %x nearest sizes [1, 4, 16, 5] scales [1.000000e+00, 1.000000e+00, 2.000000e+00, 6.250000e-01] coordinates asymmetric rounding floor : tensor<1x4x8x8xf32> -> tensor<1x4x16x5xf32>
  %near = ax.resize %x nearest sizes [1, 4, 16, 5] scales [1.000000e+00, 1.000000e+00, 2.000000e+00, 6.250000e-01] coordinates asymmetric rounding floor : tensor<1x4x8x8xf32> -> tensor<1x4x16x5xf32>
  // CHECK-NEXT: %lin = ax.resize %x linear sizes [1, 4, 16, 5] scales [1.000000e+00, 1.000000e+00, 2.000000e+00, 6.250000e-01] coordinates align_corners : tensor<1x4x8x8xf32> -> tensor<1x4x16x5xf32>
  %lin = ax.resize %x linear sizes [1, 4, 16, 5] scales [1.000000e+00, 1.000000e+00, 2.000000e+00, 6.250000e-01] coordinates align_corners : tensor<1x4x8x8xf32> -> tensor<1x4x16x5xf32>

  // CHECK-NEXT: %add = ax.add %x, %ga : (tensor<1x4x8x8xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %add = ax.add %x, %ga : (tensor<1x4x8x8xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  // CHECK-NEXT: %sub = ax.sub %ga, %x : (tensor<1x4x1x1xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %sub = ax.sub %ga, %x : (tensor<1x4x1x1xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  // CHECK-NEXT: %mul = ax.mul %x, %x : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %mul = ax.mul %x, %x : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  // CHECK-NEXT: %div = ax.div %x, %gm : (tensor<1x4x8x8xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %div = ax.div %x, %gm : (tensor<1x4x8x8xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x8x8xf32>

  // CHECK-NEXT: %relu = ax.relu %m : tensor<3x5xf32> -> tensor<3x5xf32>
  %relu = ax.relu %m : tensor<3x5xf32> -> tensor<3x5xf32>
  // CHECK-NEXT: %sigmoid = ax.sigmoid %m : tensor<3x5xf32> -> tensor<3x5xf32>
  %sigmoid = ax.sigmoid %m : tensor<3x5xf32> -> tensor<3x5xf32>
  // CHECK-NEXT: %tanh = ax.tanh %m : tensor<3x5xf32> -> tensor<3x5xf32>
  %tanh = ax.tanh %m : tensor<3x5xf32> -> tensor<3x5xf32>
  // CHECK-NEXT: %silu = ax.silu %m : tensor<3x5xf32> -> tensor<3x5xf32>
  %silu = ax.silu %m : tensor<3x5xf32> -> tensor<3x5xf32>
  // CHECK-NEXT: %hsw = ax.hard_swish %m : tensor<3x5xf32> -> tensor<3x5xf32>
  %hsw = ax.hard_swish %m : tensor<3x5xf32> -> tensor<3x5xf32>
  // CHECK-NEXT: %table = ax.table %m function <tanh(0.5, 0.0, 2.0, -1.0e-30)> : tensor<3x5xf32> -> tensor<3x5xf32>
  %table = ax.table %m function <tanh(0.5, 0.0, 2.0, -1.0e-30)> : tensor<3x5xf32> -> tensor<3x5xf32>
  // CHECK-NEXT: %hsi = ax.hard_sigmoid %m alpha 2.000000e-01 beta 5.000000e-01 : tensor<3x5xf32> -> tensor<3x5xf32>
  %hsi = ax.hard_sigmoid %m alpha 0.2 beta 0.5 : tensor<3x5xf32> -> tensor<3x5xf32>
  // CHECK-NEXT: %leaky = ax.leaky_relu %m alpha 1.000000e-02 : tensor<3x5xf32> -> tensor<3x5xf32>
  %leaky = ax.leaky_relu %m alpha 0.01 : tensor<3x5xf32> -> tensor<3x5xf32>
  // CHECK-NEXT: %clip = ax.clip %m min -3.4028234663852886e+38 max 6.000000e+00 : tensor<3x5xf32> -> tensor<3x5xf32>
  %clip = ax.clip %m min -3.4028234663852886e38 max 6.0 : tensor<3x5xf32> -> tensor<3x5xf32>
  // CHECK-NEXT: %prelu = ax.prelu %x, %ga : (tensor<1x4x8x8xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  %prelu = ax.prelu %x, %ga : (tensor<1x4x8x8xf32>, tensor<1x4x1x1xf32>) -> tensor<1x4x8x8xf32>
  // CHECK-NEXT: %soft = ax.softmax %m axis 1 : tensor<3x5xf32> -> tensor<3x5xf32>
  %soft = ax.softmax %m axis 1 : tensor<3x5xf32> -> tensor<3x5xf32>

  // CHECK-NEXT: %heads = ax.head_matmul %x, %x heads 2 transpose true factor 5.000000e-01 : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x64x16x8xf32>
  %heads = ax.head_matmul %x, %x heads 2 transpose true factor 5.000000e-01 : (tensor<1x4x8x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x64x16x8xf32>
  // CHECK-NEXT: %mix = ax.head_matmul %heads, %x heads 2 transpose false factor 1.000000e+00 epilogue <relu> : (tensor<1x64x16x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>
  %mix = ax.head_matmul %heads, %x heads 2 transpose false factor 1.000000e+00 epilogue <relu> : (tensor<1x64x16x8xf32>, tensor<1x4x8x8xf32>) -> tensor<1x4x8x8xf32>

  // CHECK-NEXT: %cat = ax.concat %m, %mm axis 1 : (tensor<3x5xf32>, tensor<3x3xf32>) -> tensor<3x8xf32>
  %cat = ax.concat %m, %mm axis 1 : (tensor<3x5xf32>, tensor<3x3xf32>) -> tensor<3x8xf32>
  // CHECK-NEXT: %cut = ax.slice %x starts [0, 1, 0, 0] ends [1, 3, 8, 8] steps [1, 1, 3, 2] : tensor<1x4x8x8xf32> -> tensor<1x2x3x4xf32>
  %cut = ax.slice %x starts [0, 1, 0, 0] ends [1, 3, 8, 8] steps [1, 1, 3, 2] : tensor<1x4x8x8xf32> -> tensor<1x2x3x4xf32>
  // CHECK-NEXT: %pad = ax.pad %m pads [1, 0, 0, -2] value -5.000000e-01 : tensor<3x5xf32> -> tensor<4x3xf32>
  %pad = ax.pad %m pads [1, 0, 0, -2] value -0.5 : tensor<3x5xf32> -> tensor<4x3xf32>
  // CHECK-NEXT: %moved = ax.rearrange %x split [4, 8, 2, 4] perm [2, 0, 1, 3] shape [1, 8, 8, 4] : tensor<1x4x8x8xf32> -> tensor<1x8x8x4xf32>
  %moved = ax.rearrange %x split [4, 8, 2, 4] perm [2, 0, 1, 3] shape [1, 8, 8, 4] : tensor<1x4x8x8xf32> -> tensor<1x8x8x4xf32>
  // CHECK-NEXT: %flat = ax.reshape %x shape [1, 256] : tensor<1x4x8x8xf32> -> tensor<1x256xf32>
  %flat = ax.reshape %x shape [1, 256] : tensor<1x4x8x8xf32> -> tensor<1x256xf32>

  // CHECK-NEXT: %r = ax.onnx "Resize"(%x, %none) opset 17 present [1, 0, 1] with {mode = "linear", sizes = array<i64: 1, 2>, f = 1.000000e-01 : f64} {reason = "why"} : (tensor<1x4x8x8xf32>, tensor<0xf32>) -> tensor<1x4x16x16xf32>
  %r = ax.onnx "Resize"(%x, %none) opset 17 present [1, 0, 1] with {mode = "linear", sizes = array<i64: 1, 2>, f = 0.1 : f64} {reason = "why"} : (tensor<1x4x8x8xf32>, tensor<0xf32>) -> tensor<1x4x16x16xf32>
  // CHECK-NEXT: %o, %p = ax.onnx "Two"() domain "com.example" opset 1 present [] with {} : () -> (tensor<1xi64>, tensor<2xi1>)
  %o, %p = ax.onnx "Two"() domain "com.example" opset 1 present [] with {} : () -> (tensor<1xi64>, tensor<2xi1>)
  // CHECK-NEXT: ax.return %r : tensor<1x4x16x16xf32>
  ax.return %r : tensor<1x4x16x16xf32>
}
