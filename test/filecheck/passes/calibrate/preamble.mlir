// Samples are the model's inputs: the host's preamble computes from them what @main takes.
// RUN: python -c "import numpy; numpy.savez('%t.npz', image=numpy.array([[-2., 3.]], 'f4'), offset=numpy.array([[[[5.]]]], 'f4'))"
// RUN: ax-opt %s -p 'calibrate{data=%t.npz scheme=per_tensor_min_max}' | filecheck %s

// CHECK: ax.relu %x : tensor<1x2xf32>
// CHECK: ax.graph @main{{.*}}{arg_stats = [#ax.stats<0.0, 3.0>, #ax.stats<5.0, 5.0>]
// CHECK: ax.add {{.*}} {ax.stats = #ax.stats<5.0, 8.0>}
ax.graph @preamble(%x: tensor<1x2xf32> "image") -> ("reshaped") {
  %relu = ax.relu %x : tensor<1x2xf32> -> tensor<1x2xf32>
  %y = ax.reshape %relu shape [1, 2, 1, 1] : tensor<1x2xf32> -> tensor<1x2x1x1xf32>
  ax.return %y : tensor<1x2x1x1xf32>
}
ax.graph @main(%x: tensor<1x2x1x1xf32> "reshaped", %o: tensor<1x1x1x1xf32> "offset") -> ("y") {
  %y = ax.add %x, %o : (tensor<1x2x1x1xf32>, tensor<1x1x1x1xf32>) -> tensor<1x2x1x1xf32>
  ax.return %y : tensor<1x2x1x1xf32>
}
