// RUN: ax-opt %s -p quantize | filecheck %s

// All values but one are below 20: the range ends at 65, 65 / 255 = 0.2549.
// CHECK: axq.graph @main(%x: tensor<1x2x1x1x!axq.q<[[CLIPPED:0.2549[0-9]+]] : -128>> "x") -> ("p", "y")
ax.graph @main(%x: tensor<1x2x1x1xf32> "x") -> ("p", "y")
    attributes {arg_stats = [#ax.stats<0.0, 100.0, histogram dense<[50000, 50000, 100000, 100000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]> : tensor<20xi64>>]} {
  %w = ax.constant dense<1.0> : tensor<2x1x1x1xf32> : tensor<2x1x1x1xf32>
  // Scores of what is returned: 100 / 255. A max pool in between changes nothing.
  // CHECK-NEXT: %t = axq.conv %x {{.*}} -> tensor<1x2x1x1x!axq.q<0.39215687 : -128>>
  %t = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2 {ax.stats = #ax.stats<0.0, 100.0, histogram dense<[50000, 50000, 100000, 100000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]> : tensor<20xi64>>}
    : (tensor<1x2x1x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x1x1xf32>
  %s = ax.softmax %t axis 1 {ax.stats = #ax.stats<0.2, 0.8>} : tensor<1x2x1x1xf32> -> tensor<1x2x1x1xf32>
  %p = ax.max_pool %s kernel [1, 1] strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] {ax.stats = #ax.stats<0.2, 0.8>}
    : tensor<1x2x1x1xf32> -> tensor<1x2x1x1xf32>
  // Scores of a softmax in the middle are as any tensor, and so are its shares.
  // CHECK: %u = axq.conv %x {{.*}} -> tensor<1x2x1x1x!axq.q<[[CLIPPED]] : -128>>
  %u = ax.conv %x, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2 {ax.stats = #ax.stats<0.0, 100.0, histogram dense<[50000, 50000, 100000, 100000, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]> : tensor<20xi64>>}
    : (tensor<1x2x1x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x1x1xf32>
  // CHECK-NEXT: axq.softmax %u {{.*}} -> tensor<1x2x1x1x!axq.q<0.00098{{[0-9]*}} : -128>>
  %v = ax.softmax %u axis 1 {ax.stats = #ax.stats<0.05, 0.25, histogram dense<[1, 1]> : tensor<2xi64>>} : tensor<1x2x1x1xf32> -> tensor<1x2x1x1xf32>
  %y = ax.conv %v, %w strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 2 {ax.stats = #ax.stats<0.0, 1.0>}
    : (tensor<1x2x1x1xf32>, tensor<2x1x1x1xf32>) -> tensor<1x2x1x1xf32>
  ax.return %p, %y : tensor<1x2x1x1xf32>, tensor<1x2x1x1xf32>
}
