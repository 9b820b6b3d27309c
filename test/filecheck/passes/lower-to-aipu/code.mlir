// Where the descriptors of each queue live.
// RUN: ax-opt %s -p lower-to-aipu | filecheck %s
// RUN: ax-opt %s -p 'lower-to-aipu{elf-in-ddr=false}' | filecheck %s --check-prefix L2
// RUN: ax-opt %s -p 'lower-to-aipu{elf-in-ddr=false stream-tasklist=false}' | filecheck %s --check-prefix L2
// RUN: ax-opt %s -p 'lower-to-aipu{dpu-instructions-home=l2 stream-tasklist=false}' | filecheck %s --check-prefix VECTOR
// RUN: ax-opt %s -p 'lower-to-aipu{dwpu-instructions-home=l2}' | filecheck %s --check-prefix DEPTHWISE
// RUN: not ax-opt %s -p 'lower-to-aipu{ddr-constraint=1024}' 2>&1 | filecheck %s --check-prefix SMALL
// RUN: not ax-opt %s -p 'lower-to-aipu{stream-tasklist=false l2-constraint=100000}' 2>&1 | filecheck %s --check-prefix LIST

axq.graph @main(%x: tensor<1x64x4x4x!axq.q<0.5 : 0>> "x") -> ("y") {
  %c = axq.conv %x weight dense<1> : tensor<64x64x1x1xi8> scale dense<0.25> : tensor<64xf32>
    bias dense<7> : tensor<64xi32> strides [1, 1] pads [0, 0, 0, 0] dilations [1, 1] group 1
    : tensor<1x64x4x4x!axq.q<0.5 : 0>> -> tensor<1x64x4x4x!axq.q<0.5 : 0>>
  %y = axq.max_pool %c kernel [2, 2] strides [2, 2] pads [0, 0, 0, 0] dilations [1, 1]
    : tensor<1x64x4x4x!axq.q<0.5 : 0>> -> tensor<1x64x2x2x!axq.q<0.5 : 0>>
  axq.return %y : tensor<1x64x2x2x!axq.q<0.5 : 0>>
}

// CHECK: aipu.output
// CHECK-NEXT: aipu.code core 0 on "dma0" in "ddr"
// CHECK-NEXT: aipu.code core 0 on "dma1" in "ddr"
// CHECK-NEXT: aipu.code core 0 on "load" in "ddr"
// CHECK-NEXT: aipu.code core 0 on "array" in "ddr"
// CHECK-NEXT: aipu.code core 0 on "depthwise" in "ddr"
// CHECK-NEXT: aipu.core 0 {

// What lives in L2 is there: nothing is preloaded.
// L2: aipu.code core 0 on "dma0" in "l2"
// L2-NEXT: aipu.code core 0 on "dma1" in "l2"
// L2-NEXT: aipu.code core 0 on "load" in "l2"
// L2-NEXT: aipu.code core 0 on "array" in "l2"
// L2-NEXT: aipu.code core 0 on "depthwise" in "l2"
// L2-NEXT: aipu.core 0 {

// VECTOR: aipu.code core 0 on "dma0" in "ddr" preload
// VECTOR-NEXT: aipu.code core 0 on "dma1" in "ddr" preload
// VECTOR-NEXT: aipu.code core 0 on "load" in "ddr" preload
// VECTOR-NEXT: aipu.code core 0 on "array" in "l2"
// VECTOR-NEXT: aipu.code core 0 on "depthwise" in "l2"
// VECTOR-NEXT: aipu.core 0 {

// DEPTHWISE: aipu.code core 0 on "array" in "ddr"
// DEPTHWISE-NEXT: aipu.code core 0 on "depthwise" in "l2"
// DEPTHWISE-NEXT: aipu.core 0 {

// SMALL: error: [{{.*}}] the program does not fit ddr: 1,536 bytes needed, 1,024 allowed (512 too many)
// SMALL-NEXT: note: alive there (1,536 bytes): code.dma0 512, code.dma1 256, code.load 256, code.array 256, code.depthwise 256
// SMALL-NEXT: note: raise ddr_constraint or resources_used

// LIST: error: the task list does not fit l2: 1,048,576 bytes are reserved for it, 100,000 allowed
// LIST-NEXT: note: lower l2_size_reserved_tasklist, or let stream_tasklist be true
