// RUN: ax-opt %s -p 'quantize{scheme=per_tensor_min_max}' | filecheck %s

// What takes the place of weights in a product has the zero point 0; a class token has the parameters of what it joins.
ax.graph @main(%x: tensor<1x2x1x3xf32> "x") -> ("y") attributes {arg_stats = [#ax.stats<-1.0, 2.54>]} {
  %token = ax.constant dense<[[[[1.0]], [[-2.0]]]]> : tensor<1x2x1x1xf32> : tensor<1x2x1x1xf32>
  %t = ax.concat %token, %x axis 3 {ax.stats = #ax.stats<-2.0, 2.54>} : (tensor<1x2x1x1xf32>, tensor<1x2x1x3xf32>) -> tensor<1x2x1x4xf32>
  %r = ax.reshape %t shape [1, 2, 2, 2] {ax.stats = #ax.stats<-2.0, 2.54>} : tensor<1x2x1x4xf32> -> tensor<1x2x2x2xf32>
  %s = ax.head_matmul %r, %t heads 1 transpose true factor 0.5 {ax.stats = #ax.stats<0.0, 2.55>} : (tensor<1x2x2x2xf32>, tensor<1x2x1x4xf32>) -> tensor<1x4x2x2xf32>
  %y = ax.normalize %s axes [1] epsilon 0.1 {ax.stats = #ax.stats<-1.28, 1.27>} : tensor<1x4x2x2xf32> -> tensor<1x4x2x2xf32>
  ax.return %y : tensor<1x4x2x2xf32>
}
// CHECK-LABEL: axq.graph @main(%x: tensor<1x2x1x3x!axq.q<0.02 : 0>> "x")
// CHECK-NEXT: %token = axq.constant dense<[{{\[\[\[}}50]], {{\[\[}}-100]]]]> : tensor<1x2x1x1xi8> : tensor<1x2x1x1x!axq.q<0.02 : 0>>
// CHECK-NEXT: axq.concat %token, %x axis 3
// CHECK-NEXT: axq.reshape {{.*}} shape [1, 2, 2, 2] : tensor<1x2x1x4x!axq.q<0.02 : 0>> -> tensor<1x2x2x2x!axq.q<0.02 : 0>>
// CHECK-NEXT: axq.matmul {{.*}} heads 1 transpose true factor 5.000000e-01 : {{.*}} -> tensor<1x4x2x2x!axq.q<0.01 : -128>>
// CHECK-NEXT: axq.normalize {{.*}} factor dense<1.000000e+00> : tensor<4xf32> summand dense<0.000000e+00> : tensor<4xf32> group 4 spatial false epsilon 1.000000e-01 : {{.*}} -> tensor<1x4x2x2x!axq.q<0.01 : 0>>
