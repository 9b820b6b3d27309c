// Every tensor but constants gets its extremes, what a convolution reads the means of its channels, and as the scheme
// needs them a histogram and the extremes of channels.
// The samples are 2 images of 2 channels: [[-1, 2], [3, 0.5]] and [[4, 1], [-6, 0]].
// RUN: python -c "import numpy; numpy.savez('%t.npz', image=numpy.array([[[[-1, 2]], [[3, .5]]], [[[4, 1]], [[-6, 0]]]], 'f4'))"
// RUN: ax-opt %s -p 'calibrate{data=%t.npz scheme=per_tensor_min_max}' | filecheck %s --check-prefixes CHECK,MINMAX
// RUN: ax-opt %s -p 'calibrate{data=%t.npz num-samples=1 scheme=per_tensor_min_max}' | filecheck %s --check-prefix FIRST
// RUN: ax-opt %s -p 'calibrate{data=%t.npz}' | filecheck %s --check-prefixes CHECK,HISTOGRAM
// RUN: ax-opt %s -p 'calibrate{data=%t.npz scheme=hybrid_per_tensor_per_channel}' | filecheck %s --check-prefixes CHECK,HYBRID
// RUN: ax-opt %s -p 'calibrate{data=%t.npz scheme=per_tensor_min_max quantize-dw-channel-wise=true}' | filecheck %s --check-prefixes CHECK,CHANNELS

// MINMAX: attributes {arg_stats = [#ax.stats<-6.0, 4.0>]}
// FIRST: attributes {arg_stats = [#ax.stats<-1.0, 3.0>]}
// HISTOGRAM: attributes {arg_stats = [#ax.stats<-6.0, 4.0, histogram #ax.weight<"{{[0-9a-f]+}}", tensor<2048xi64>>>]}
// HYBRID: attributes {arg_stats = [#ax.stats<-6.0, 4.0, histogram #ax.weight<"{{[0-9a-f]+}}", tensor<2048xi64>>>]}
// CHECK: ax.constant dense<{{.*}}> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
// MINMAX: %relu = ax.relu %x {ax.stats = #ax.stats<0.0, 4.0, means dense<[1.750000e+00, 8.750000e-01]> : tensor<2xf32>>}
// FIRST: %relu = ax.relu %x {ax.stats = #ax.stats<0.0, 3.0, means dense<[1.000000e+00, 1.750000e+00]> : tensor<2xf32>>}
// HISTOGRAM: %relu = ax.relu %x {ax.stats = #ax.stats<0.0, 4.0, histogram #ax.weight<"{{[0-9a-f]+}}", tensor<2048xi64>>, means
// HYBRID: %relu = ax.relu %x {ax.stats = #ax.stats<0.0, 4.0, histogram #ax.weight<"{{[0-9a-f]+}}", tensor<2048xi64>>,
// HYBRID-SAME: channels dense<{{\[\[}}0.000000e+00, 0.000000e+00], [4.000000e+00, 3.000000e+00]]> : tensor<2x2xf32>, means
// CHANNELS: %relu = ax.relu %x {ax.stats = #ax.stats<0.0, 4.0,
// CHANNELS-SAME: channels dense<{{\[\[}}0.000000e+00, 0.000000e+00], [4.000000e+00, 3.000000e+00]]> : tensor<2x2xf32>, means
// The weights are 0.5 and -2.0.
// MINMAX: %y = ax.conv {{.*}} {ax.stats = #ax.stats<-6.0, 2.0>}
// FIRST: %y = ax.conv {{.*}} {ax.stats = #ax.stats<-6.0, 1.0>}
ax.graph @main(%x: tensor<1x2x1x2xf32> "image") -> ("y") {
  %w = ax.constant dense<[[[[0.5]]], [[[-2.0]]]]> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  %relu = ax.relu %x : tensor<1x2x1x2xf32> -> tensor<1x2x1x2xf32>
  %y = ax.conv %relu, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2
    : (tensor<1x2x1x2xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x1x2xf32>
  ax.return %y : tensor<1x2x1x2xf32>
}
