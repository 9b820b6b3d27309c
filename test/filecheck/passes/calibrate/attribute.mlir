// Statistics are an attribute: they print as they were read, and a wrong one is refused.
// RUN: ax-opt %s --split-input-file --verify-diagnostics | filecheck %s

// CHECK: attributes {arg_stats = [#ax.stats<-1.5, 2.0>,
// CHECK-SAME: #ax.stats<0.0, 1.0e-30, histogram dense<[1, 2, 3]> : tensor<3xi64>>,
// CHECK-SAME: #ax.stats<-1.0, 1.0, channels dense<{{\[\[}}-1.000000e+00], [1.000000e+00]]> : tensor<2x1xf32>, means dense<5.000000e-01> : tensor<1xf32>>,
// CHECK-SAME: #ax.stats<0.1, 0.1, histogram #ax.weight<"00000000000000000000000000000001", tensor<2048xi64>>, means dense<5.000000e-01> : tensor<1xf32>>]}
ax.graph @main(
  %a: tensor<1x1x1x1xf32> "a", %b: tensor<1x1x1x1xf32> "b", %c: tensor<1x1x1x1xf32> "c", %d: tensor<1x1x1x1xf32> "d") -> ()
  attributes {arg_stats = [
    #ax.stats<-1.5, 2.0>, #ax.stats<0.0, 1.0e-30, histogram dense<[1, 2, 3]> : tensor<3xi64>>,
    #ax.stats<-1.0, 1.0, means dense<0.5> : tensor<1xf32>, channels dense<[[-1.0], [1.0]]> : tensor<2x1xf32>>,
    #ax.stats<0.1, 0.1, means dense<0.5> : tensor<1xf32>, histogram #ax.weight<"00000000000000000000000000000001", tensor<2048xi64>>>
  ]} { ax.return }

// -----

// expected-error@below {{minimum 1.0 is above maximum 0.5}}
"test.op"() {stats = #ax.stats<1.0, 0.5>} : () -> ()

// -----

// expected-error@below {{histogram must be a tensor of i64 of rank 1, not tensor<2xf32>}}
"test.op"() {stats = #ax.stats<0.0, 0.5, histogram dense<1.0> : tensor<2xf32>>} : () -> ()

// -----

// expected-error@below {{channels must be a tensor of f32 of rank 2, not tensor<2xf32>}}
"test.op"() {stats = #ax.stats<0.0, 0.5, channels dense<1.0> : tensor<2xf32>>} : () -> ()

// -----

// expected-error@below {{expected each of histogram, channels, means at most once, not mode}}
"test.op"() {stats = #ax.stats<0.0, 0.5, mode dense<1.0> : tensor<2xf32>>} : () -> ()

// -----

// expected-error@below {{expected each of histogram, channels, means at most once, not means}}
"test.op"() {stats = #ax.stats<0.0, 0.5, means dense<1.0> : tensor<2xf32>, means dense<1.0> : tensor<2xf32>>} : () -> ()
