// What no convolution took into its epilogue becomes axq.map with one step.
// RUN: ax-opt %s --split-input-file -p 'quantize{scheme=per_tensor_min_max}' | filecheck %s

// CHECK-LABEL: @main(%x: tensor<1x2x2x2x!axq.q<0.01 : 0>> "x", %e: tensor<1x2x1x1x!axq.q<1.0 : 0>> "e")
// CHECK: %relu = axq.map %x epilogue <relu> : tensor<1x2x2x2x!axq.q<0.01 : 0>> -> tensor<1x2x2x2x!axq.q<0.01 : -128>>
// CHECK: %clip = axq.map %relu epilogue <clip(0.0, 6.0)> :
// CHECK: %leaky = axq.map %clip epilogue <leaky_relu(0.1)> :
// CHECK: %hs = axq.map %leaky epilogue <hard_sigmoid(0.2, 0.5)> :
// CHECK: %hw = axq.map %hs epilogue <hard_swish> :
// CHECK: %silu = axq.map %hw epilogue <silu> :
// CHECK: %tanh = axq.map %silu epilogue <tanh> :
// CHECK: %sigmoid = axq.map %tanh epilogue <sigmoid> :
// CHECK: %prelu = axq.map %sigmoid epilogue <prelu> slope dense<[1.000000e-01, 2.000000e-01]> : tensor<2xf32> :
// The input is the operand of the result's shape, whichever side it stands on.
// CHECK: %scaled = axq.map %prelu epilogue <mul> extras %e : tensor<1x2x1x1x!axq.q<1.0 : 0>> :
// CHECK: %sum = axq.map %scaled epilogue <add> extras %x : tensor<1x2x2x2x!axq.q<0.01 : 0>> :
// CHECK: %square = axq.map %sum epilogue <mul> extras %sum :
// Where both broadcast, the first is the input.
// CHECK: %r = axq.slice %sum {{.*}} -> tensor<1x2x1x2x
// CHECK: %c = axq.slice %sum {{.*}} -> tensor<1x2x2x1x
// CHECK: %outer = axq.map %r epilogue <mul> extras %c : tensor<1x2x2x1x!axq.q<0.01 : -128>> : tensor<1x2x1x2x!axq.q<0.01 : -128>> -> tensor<1x2x2x2x
// CHECK: %mean = axq.avg_pool %square kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] count_include_pad true epilogue <sigmoid> :
ax.graph @main(%x: tensor<1x2x2x2xf32> "x", %e: tensor<1x2x1x1xf32> "e") -> ("y")
    attributes {arg_stats = [#ax.stats<-1.28, 1.27>, #ax.stats<-128.0, 127.0>]} {
  %relu = ax.relu %x {ax.stats = #ax.stats<0.0, 2.55>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %clip = ax.clip %relu min 0.0 max 6.0 {ax.stats = #ax.stats<0.0, 2.55>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %leaky = ax.leaky_relu %clip alpha 0.1 {ax.stats = #ax.stats<0.0, 2.55>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %hs = ax.hard_sigmoid %leaky alpha 0.2 beta 0.5 {ax.stats = #ax.stats<0.0, 1.0>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %hw = ax.hard_swish %hs {ax.stats = #ax.stats<0.0, 2.55>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %silu = ax.silu %hw {ax.stats = #ax.stats<0.0, 2.55>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %tanh = ax.tanh %silu {ax.stats = #ax.stats<-1.0, 1.0>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %sigmoid = ax.sigmoid %tanh {ax.stats = #ax.stats<0.0, 1.0>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %slope = ax.constant dense<[[[0.1]], [[0.2]]]> : tensor<2x1x1xf32> : tensor<2x1x1xf32>
  %prelu = ax.prelu %sigmoid, %slope {ax.stats = #ax.stats<0.0, 2.55>} : (tensor<1x2x2x2xf32>, tensor<2x1x1xf32>) -> tensor<1x2x2x2xf32>
  %scaled = ax.mul %e, %prelu {ax.stats = #ax.stats<0.0, 2.55>} : (tensor<1x2x1x1xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %sum = ax.add %scaled, %x {ax.stats = #ax.stats<0.0, 2.55>} : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %square = ax.mul %sum, %sum {ax.stats = #ax.stats<0.0, 2.55>} : (tensor<1x2x2x2xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  %r = ax.slice %sum starts [0, 0, 0, 0] ends [1, 2, 1, 2] steps [1, 1, 1, 1] {ax.stats = #ax.stats<0.0, 2.55>} : tensor<1x2x2x2xf32> -> tensor<1x2x1x2xf32>
  %c = ax.slice %sum starts [0, 0, 0, 0] ends [1, 2, 2, 1] steps [1, 1, 1, 1] {ax.stats = #ax.stats<0.0, 2.55>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x1xf32>
  %outer = ax.mul %r, %c {ax.stats = #ax.stats<0.0, 2.55>} : (tensor<1x2x1x2xf32>, tensor<1x2x2x1xf32>) -> tensor<1x2x2x2xf32>
  %mean = ax.avg_pool %square kernel [2, 2] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] count_include_pad true
    epilogue <sigmoid> {ax.stats = #ax.stats<0.0, 2.55>} : tensor<1x2x2x2xf32> -> tensor<1x2x1x1xf32>
  ax.return %mean : tensor<1x2x1x1xf32>
}

// -----

// Any other function of one number is a byte for every byte.
// CHECK-LABEL: @main
// CHECK: %cube = axq.lookup %x table #ax.weight<"{{.*}}", tensor<256xi8>> : tensor<1x2x2x2x!axq.q<0.5 : 0>> -> tensor<1x2x2x2x!axq.q<0.25 : 0>>
// CHECK: %gate = axq.lookup %cube table {{.*}} -> tensor<1x2x2x2x!axq.q<0.007843138 : -1>>
ax.graph @main(%x: tensor<1x2x2x2xf32> "x") -> ("y") attributes {arg_stats = [#ax.stats<-64.0, 63.5>]} {
  %cube = ax.unary %x <pow(3.0)> {ax.stats = #ax.stats<-32.0, 31.75>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  %gate = ax.unary %cube <softsign> {ax.stats = #ax.stats<-1.0, 1.0>} : tensor<1x2x2x2xf32> -> tensor<1x2x2x2xf32>
  ax.return %gate : tensor<1x2x2x2xf32>
}

// -----

// What is subtracted is an operand, whichever is larger.
// CHECK-LABEL: @main
// CHECK: %difference = axq.map %e epilogue <sub> extras %x : tensor<1x2x2x2x!axq.q<0.5 : 0>> : tensor<1x2x1x1x!axq.q<0.5 : 0>> -> tensor<1x2x2x2x
ax.graph @main(%x: tensor<1x2x2x2xf32> "x", %e: tensor<1x2x1x1xf32> "e") -> ("y")
    attributes {arg_stats = [#ax.stats<-64.0, 63.5>, #ax.stats<-64.0, 63.5>]} {
  %difference = ax.sub %e, %x {ax.stats = #ax.stats<-32.0, 31.75>} : (tensor<1x2x1x1xf32>, tensor<1x2x2x2xf32>) -> tensor<1x2x2x2xf32>
  ax.return %difference : tensor<1x2x2x2xf32>
}
