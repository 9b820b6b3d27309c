// From statistics to scale and zero point.
// RUN: ax-opt %s -p 'quantize{scheme=per_tensor_min_max}' | filecheck %s --check-prefixes CHECK,MINMAX
// RUN: ax-opt %s -p quantize | filecheck %s --check-prefixes CHECK,HISTOGRAM
// RUN: ax-opt %s -p 'quantize{scheme=hybrid_per_tensor_per_channel}' | filecheck %s --check-prefixes CHECK,HISTOGRAM

// CHECK: axq.graph @main
// Zero is always in the range: 1.0 to 2.55 is quantized as 0.0 to 2.55. There is no outlier.
// CHECK-SAME: %positive: tensor<1x1x1x1x!axq.q<0.01 : -128>> "positive"
// CHECK-SAME: %negative: tensor<1x1x1x1x!axq.q<0.01 : 127>> "negative"
// A tensor that is always zero gets a tiny scale: 2**-20 / 255.
// CHECK-SAME: %zero: tensor<1x1x1x1x!axq.q<3.7398995e-09 : -128>> "zero"
// -0.3 / (2.55 / 255) would be 30 steps exactly; with 0.302 zero stays exact and the ends move by a fifth of a step.
// CHECK-SAME: %inexact: tensor<1x1x1x1x!axq.q<0.01 : -98>> "inexact"

// One value of ten million is between 90 and 100, the others between 10 and 20. With the extremes a step is 100 / 255.
// MINMAX: %outlier = {{.*}} -> tensor<1x1x1x1x!axq.q<0.39215687 : -128>>
// Cutting off at 20 costs (95 - 20)**2 = 5625 and 10**7 / 12 * (20 / 255)**2 = 5126 of rounding; at 30 it is 4225 + 11534,
// at 100 it is 128159 of rounding alone.
// HISTOGRAM: %outlier = {{.*}} -> tensor<1x1x1x1x!axq.q<0.078431375 : -128>>
// What the graph returns is never clipped.
// CHECK: %returned = axq.map {{.*}} -> tensor<1x1x1x1x!axq.q<0.39215687 : -128>>
// A peak at zero (of a relu) does not draw the range together: zero is exact anyway.
// CHECK: %sparse = axq.map {{.*}} -> tensor<1x1x1x1x!axq.q<0.039215688 : -128>>
ax.graph @main(%positive: tensor<1x1x1x1xf32> "positive", %negative: tensor<1x1x1x1xf32> "negative",
               %zero: tensor<1x1x1x1xf32> "zero", %inexact: tensor<1x1x1x1xf32> "inexact") -> ("y", "z")
    attributes {arg_stats = [#ax.stats<1.0, 2.55, histogram dense<[10, 20, 10]> : tensor<3xi64>>,
                             #ax.stats<-2.55, -1.0, histogram dense<[10, 20, 10]> : tensor<3xi64>>,
                             #ax.stats<0.0, 0.0, histogram dense<[40, 0, 0]> : tensor<3xi64>>,
                             #ax.stats<-0.302, 2.248, histogram dense<[40, 30, 20]> : tensor<3xi64>>]} {
  %outlier = ax.relu %positive
    {ax.stats = #ax.stats<0.0, 100.0, histogram dense<[0, 9999999, 0, 0, 0, 0, 0, 0, 0, 1]> : tensor<10xi64>>}
    : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  %returned = ax.relu %outlier
    {ax.stats = #ax.stats<0.0, 100.0, histogram dense<[0, 9999999, 0, 0, 0, 0, 0, 0, 0, 1]> : tensor<10xi64>>}
    : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  %sparse = ax.relu %returned
    {ax.stats = #ax.stats<0.0, 10.0, histogram dense<[9999999, 0, 0, 0, 0, 0, 0, 0, 0, 1]> : tensor<10xi64>>}
    : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  %last = ax.relu %sparse {ax.stats = #ax.stats<0.0, 1.0, histogram dense<[1, 1]> : tensor<2xi64>>}
    : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
  ax.return %returned, %last : tensor<1x1x1x1xf32>, tensor<1x1x1x1xf32>
}
