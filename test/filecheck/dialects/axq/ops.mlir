// Every operator of the quantized graph, and every form of its type, prints as it was read.
// RUN: ax-opt %s | filecheck %s
// RUN: ax-opt %s | ax-opt | filecheck %s
// RUN: ax-opt %s --print-generic | ax-opt | filecheck %s

!a = tensor<1x2x4x4x!axq.q<0.5 : -128>>

// CHECK: axq.graph @types(%scalar: tensor<1x2x1x1x!axq.q<0.1 : -128>> "scalar",
// CHECK-SAME: %long: tensor<1x2x1x1x!axq.q<0.023529412 : 127>> "long", %small: tensor<1x2x1x1x!axq.q<1.0e-05 : 0>> "small",
// CHECK-SAME: %channels: tensor<1x2x1x1x!axq.q<channels dense<[1.000000e-01, 2.500000e-01]> : tensor<2xf32>
// CHECK-SAME: : dense<[-128, 3]> : tensor<2xi32>>> "channels",
// CHECK-SAME: %stored: tensor<1x2x1x1x!axq.q<channels #ax.weight<"00000000000000000000000000000001", tensor<2xf32>>
// CHECK-SAME: : #ax.weight<"00000000000000000000000000000002", tensor<2xi32>>>> "stored") -> ()
axq.graph @types(
  %scalar: tensor<1x2x1x1x!axq.q<0.1 : -128>> "scalar",
  %long: tensor<1x2x1x1x!axq.q<0.02352941224888802 : 127>> "long",
  %small: tensor<1x2x1x1x!axq.q<0.00001 : 0>> "small",
  %channels: tensor<1x2x1x1x!axq.q<channels dense<[0.1, 0.25]> : tensor<2xf32> : dense<[-128, 3]> : tensor<2xi32>>> "channels",
  %stored: tensor<1x2x1x1x!axq.q<channels #ax.weight<"00000000000000000000000000000001", tensor<2xf32>>
                                        : #ax.weight<"00000000000000000000000000000002", tensor<2xi32>>>> "stored") -> () {
  axq.return
}

// CHECK: axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : -128>> "image") -> ("scores", "features") attributes {note = "kept"} {
axq.graph @main(%x: tensor<1x2x4x4x!axq.q<0.5 : -128>> "image") -> ("scores", "features") attributes {note = "kept"} {
  // CHECK: %conv = axq.conv %x weight dense<[{{.*}}]> : tensor<3x2x1x1xi8>
  // CHECK-SAME: scale dense<[1.000000e-01, 2.000000e-01, 3.000000e-01]> : tensor<3xf32> bias dense<[1, -2, 300000]> : tensor<3xi32>
  // CHECK-SAME: strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
  // CHECK-SAME: : tensor<1x2x4x4x!axq.q<0.5 : -128>> -> tensor<1x3x4x4x!axq.q<0.25 : 7>>
  %conv = axq.conv %x
    weight dense<[[[[1]], [[2]]], [[[-3]], [[4]]], [[[127]], [[-127]]]]> : tensor<3x2x1x1xi8>
    scale dense<[0.1, 0.2, 0.3]> : tensor<3xf32> bias dense<[1, -2, 300000]> : tensor<3xi32>
    strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : tensor<1x2x4x4x!axq.q<0.5 : -128>> -> tensor<1x3x4x4x!axq.q<0.25 : 7>>

  // CHECK: %depthwise = axq.conv %x weight dense<1> : tensor<2x1x3x3xi8> {{.*}} strides [2, 1] pads [1, 1, 1, 1] dilations [1, 1] group 2
  // CHECK-SAME: epilogue <relu> : {{.*}} -> tensor<1x2x2x4x!axq.q<channels
  %depthwise = axq.conv %x weight dense<1> : tensor<2x1x3x3xi8>
    scale dense<[0.1, 0.2]> : tensor<2xf32> bias dense<0> : tensor<2xi32>
    strides [2, 1] pads [1, 1, 1, 1] dilations [1, 1] group 2 epilogue <relu>
    : tensor<1x2x4x4x!axq.q<0.5 : -128>>
      -> tensor<1x2x2x4x!axq.q<channels dense<[0.1, 0.25]> : tensor<2xf32> : dense<[-128, 3]> : tensor<2xi32>>>

  // CHECK: %by_channel = axq.conv %depthwise {{.*}} group 2 : tensor<1x2x2x4x!axq.q<channels
  %by_channel = axq.conv %depthwise weight dense<1> : tensor<4x1x1x1xi8>
    scale dense<0.5> : tensor<4xf32> bias dense<0> : tensor<4xi32>
    strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2
    : tensor<1x2x2x4x!axq.q<channels dense<[0.1, 0.25]> : tensor<2xf32> : dense<[-128, 3]> : tensor<2xi32>>>
      -> tensor<1x4x2x4x!axq.q<0.5 : 0>>

  // CHECK: %up = axq.conv_transpose %by_channel weight {{.*}} scale {{.*}} bias {{.*}} strides [2, 2] pads [1, 1, 1, 1]
  // CHECK-SAME: output_padding [1, 1] dilations [1, 1] group 2 : {{.*}} -> tensor<1x6x4x8x!axq.q<0.5 : 1>>
  %up = axq.conv_transpose %by_channel weight dense<1> : tensor<4x3x3x3xi8>
    scale dense<0.5> : tensor<6xf32> bias dense<0> : tensor<6xi32>
    strides [2, 2] pads [1, 1, 1, 1] output_padding [1, 1] dilations [1, 1] group 2
    : tensor<1x4x2x4x!axq.q<0.5 : 0>> -> tensor<1x6x4x8x!axq.q<0.5 : 1>>

  // CHECK: %max = axq.max_pool %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1]
  // CHECK-SAME: : tensor<1x2x4x4x!axq.q<0.5 : -128>> -> tensor<1x2x2x2x!axq.q<0.5 : -128>>
  %max = axq.max_pool %x kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1]
    : tensor<1x2x4x4x!axq.q<0.5 : -128>> -> tensor<1x2x2x2x!axq.q<0.5 : -128>>

  // CHECK: %gate = axq.avg_pool %x kernel [4, 4] strides [1, 1] pads [0, 0, 0, 0] count_include_pad true
  // CHECK-SAME: epilogue <hard_sigmoid(0.2, 0.5)> : {{.*}} -> tensor<1x2x1x1x!axq.q<0.003921569 : -128>>
  %gate = axq.avg_pool %x kernel [4, 4] strides [1, 1] pads [0, 0, 0, 0] count_include_pad true
    epilogue <hard_sigmoid(0.2, 0.5)>
    : tensor<1x2x4x4x!axq.q<0.5 : -128>> -> tensor<1x2x1x1x!axq.q<0.00392156886 : -128>>

  // CHECK: %slopes = axq.map %x epilogue <prelu, leaky_relu(0.1), clip(-1.0, 6.0), hard_swish, sigmoid(-2.0, 0.5, 1.0, 3.0), silu, tanh>
  // CHECK-SAME: slope dense<[1.000000e-01, 2.000000e-01]> : tensor<2xf32> : tensor<1x2x4x4x!axq.q<0.5 : -128>> -> tensor<1x2x4x4x!axq.q<0.1 : 0>>
  %slopes = axq.map %x epilogue <prelu, leaky_relu(0.1), clip(-1.0, 6.0), hard_swish, sigmoid(-2.0, 0.5, 1.0, 3.0), silu, tanh>
    slope dense<[0.1, 0.2]> : tensor<2xf32>
    : tensor<1x2x4x4x!axq.q<0.5 : -128>> -> tensor<1x2x4x4x!axq.q<0.1 : 0>>

  // CHECK: %both = axq.map %x epilogue <mul, add, relu> extras %gate, %slopes
  // CHECK-SAME: : tensor<1x2x1x1x!axq.q<0.003921569 : -128>>, tensor<1x2x4x4x!axq.q<0.1 : 0>>
  // CHECK-SAME: : tensor<1x2x4x4x!axq.q<0.5 : -128>> -> tensor<1x2x4x4x!axq.q<0.5 : -128>>
  %both = axq.map %x epilogue <mul, add, relu> extras %gate, %slopes
    : tensor<1x2x1x1x!axq.q<0.00392156886 : -128>>, tensor<1x2x4x4x!axq.q<0.1 : 0>>
    : tensor<1x2x4x4x!axq.q<0.5 : -128>> -> tensor<1x2x4x4x!axq.q<0.5 : -128>>

  // CHECK: %requantized = axq.map %conv : tensor<1x3x4x4x!axq.q<0.25 : 7>> -> tensor<1x3x4x4x!axq.q<0.5 : -128>>
  %requantized = axq.map %conv : tensor<1x3x4x4x!axq.q<0.25 : 7>> -> tensor<1x3x4x4x!axq.q<0.5 : -128>>

  // CHECK: %scores = axq.matmul %gate, %keys heads 2 transpose true factor 1.250000e-01 epilogue <relu>
  // CHECK-SAME: : (tensor<1x2x1x1x!axq.q<0.003921569 : -128>>, tensor<1x2x4x4x!axq.q<0.1 : 0>>) -> tensor<1x16x2x1x!axq.q<0.5 : 3>>
  %keys = axq.map %slopes : tensor<1x2x4x4x!axq.q<0.1 : 0>> -> tensor<1x2x4x4x!axq.q<0.1 : 0>>
  %scores = axq.matmul %gate, %keys heads 2 transpose true factor 0.125 epilogue <relu>
    : (tensor<1x2x1x1x!axq.q<0.00392156886 : -128>>, tensor<1x2x4x4x!axq.q<0.1 : 0>>) -> tensor<1x16x2x1x!axq.q<0.5 : 3>>

  // CHECK: %mixed = axq.matmul %scores, %keys heads 2 transpose false factor 1.000000e+00
  // CHECK-SAME: : (tensor<1x16x2x1x!axq.q<0.5 : 3>>, tensor<1x2x4x4x!axq.q<0.1 : 0>>) -> tensor<1x2x1x1x!axq.q<0.5 : 3>>
  %mixed = axq.matmul %scores, %keys heads 2 transpose false factor 1.0
    : (tensor<1x16x2x1x!axq.q<0.5 : 3>>, tensor<1x2x4x4x!axq.q<0.1 : 0>>) -> tensor<1x2x1x1x!axq.q<0.5 : 3>>

  // CHECK: %norm = axq.normalize %keys factor dense<[1.000000e+00, 2.000000e+00]> : tensor<2xf32>
  // CHECK-SAME: summand dense<0.000000e+00> : tensor<2xf32> group 2 spatial false epsilon 1.000000e-05
  // CHECK-SAME: : tensor<1x2x4x4x!axq.q<0.1 : 0>> -> tensor<1x2x4x4x!axq.q<0.02 : 0>>
  %norm = axq.normalize %keys factor dense<[1.0, 2.0]> : tensor<2xf32> summand dense<0.0> : tensor<2xf32> group 2
    spatial false epsilon 1.0e-5 : tensor<1x2x4x4x!axq.q<0.1 : 0>> -> tensor<1x2x4x4x!axq.q<0.02 : 0>>

  // CHECK: %token = axq.constant dense<[{{\[\[\[}}1]], {{\[\[}}-2]]]]> : tensor<1x2x1x1xi8> : tensor<1x2x1x1x!axq.q<0.1 : 0>>
  %token = axq.constant dense<[[[[1]], [[-2]]]]> : tensor<1x2x1x1xi8> : tensor<1x2x1x1x!axq.q<0.1 : 0>>
  // CHECK: %moved = axq.rearrange %keys split [2, 4, 2, 2] perm [2, 0, 1, 3] shape [1, 2, 8, 2] : tensor<1x2x4x4x!axq.q<0.1 : 0>> -> tensor<1x2x8x2x!axq.q<0.1 : 0>>
  %moved = axq.rearrange %keys split [2, 4, 2, 2] perm [2, 0, 1, 3] shape [1, 2, 8, 2] : tensor<1x2x4x4x!axq.q<0.1 : 0>> -> tensor<1x2x8x2x!axq.q<0.1 : 0>>
  // CHECK: %rows = axq.gather %keys axis 2 indices [3, 3, 0] : tensor<1x2x4x4x!axq.q<0.1 : 0>> -> tensor<1x2x3x4x!axq.q<0.1 : 0>>
  %rows = axq.gather %keys axis 2 indices [3, 3, 0] : tensor<1x2x4x4x!axq.q<0.1 : 0>> -> tensor<1x2x3x4x!axq.q<0.1 : 0>>
  // CHECK: %row = axq.reshape %keys shape [1, 2, 1, 16] : tensor<1x2x4x4x!axq.q<0.1 : 0>> -> tensor<1x2x1x16x!axq.q<0.1 : 0>>
  %row = axq.reshape %keys shape [1, 2, 1, 16] : tensor<1x2x4x4x!axq.q<0.1 : 0>> -> tensor<1x2x1x16x!axq.q<0.1 : 0>>

  // CHECK: %soft = axq.softmax %slopes axis 1 neutral -1.000000e+05 : tensor<1x2x4x4x!axq.q<0.1 : 0>> -> tensor<1x2x4x4x!axq.q<0.00390625 : -128>>
  %soft = axq.softmax %slopes axis 1 neutral -100000.0
    : tensor<1x2x4x4x!axq.q<0.1 : 0>> -> tensor<1x2x4x4x!axq.q<0.00390625 : -128>>

  // CHECK: %cat = axq.concat %both, %requantized axis 1 : (tensor<1x2x4x4x{{.*}}>, tensor<1x3x4x4x{{.*}}>) -> tensor<1x5x4x4x!axq.q<0.5 : -128>>
  %cat = axq.concat %both, %requantized axis 1
    : (tensor<1x2x4x4x!axq.q<0.5 : -128>>, tensor<1x3x4x4x!axq.q<0.5 : -128>>) -> tensor<1x5x4x4x!axq.q<0.5 : -128>>

  // CHECK: %part = axq.slice %cat starts [0, 1, 0, 0] ends [1, 5, 4, 4] steps [1, 2, 1, 3]
  // CHECK-SAME: : tensor<1x5x4x4x!axq.q<0.5 : -128>> -> tensor<1x2x4x2x!axq.q<0.5 : -128>>
  %part = axq.slice %cat starts [0, 1, 0, 0] ends [1, 5, 4, 4] steps [1, 2, 1, 3]
    : tensor<1x5x4x4x!axq.q<0.5 : -128>> -> tensor<1x2x4x2x!axq.q<0.5 : -128>>

  // CHECK: axq.return %part, %x : tensor<1x2x4x2x!axq.q<0.5 : -128>>, tensor<1x2x4x4x!axq.q<0.5 : -128>>
  axq.return %part, %x : tensor<1x2x4x2x!axq.q<0.5 : -128>>, tensor<1x2x4x4x!axq.q<0.5 : -128>>
}
