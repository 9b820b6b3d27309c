// Every operation keeps the location, the name and the other attributes of the one it comes from.
// RUN: ax-opt %s -p 'quantize{scheme=per_tensor_min_max}' --print-debuginfo | filecheck %s

// CHECK: axq.graph @main(%image: {{.*}}) -> ("scores") attributes {origin = "kept"} {
// CHECK: %activation = axq.map %image epilogue <relu> {mark = 1 : i64} : {{.*}} loc("Relu_7"("net.onnx":7:0))
// CHECK: axq.return %activation : {{.*}} loc("out"("net.onnx":9:0))
// CHECK: } loc("net"("net.onnx":0:0))
ax.graph @main(%image: tensor<1x1x1x1xf32> "image") -> ("scores")
    attributes {arg_stats = [#ax.stats<-1.28, 1.27>], origin = "kept"} {
  %activation = ax.relu %image {ax.stats = #ax.stats<0.0, 2.55>, mark = 1 : i64} : tensor<1x1x1x1xf32> -> tensor<1x1x1x1xf32>
    loc("Relu_7"("net.onnx":7:0))
  ax.return %activation : tensor<1x1x1x1xf32> loc("out"("net.onnx":9:0))
} loc("net"("net.onnx":0:0))
