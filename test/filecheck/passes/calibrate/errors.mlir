// Samples that do not fit the model, and graphs that cannot run.
// RUN: python -c "import numpy; numpy.savez('%t.other.npz', picture=numpy.zeros((1, 1, 1, 2, 2), 'f4'))"
// RUN: python -c "import numpy; numpy.savez('%t.shape.npz', image=numpy.zeros((1, 1, 1, 2, 3), 'f4'))"
// RUN: python -c "import numpy; numpy.savez('%t.none.npz', image=numpy.zeros((0, 1, 1, 2, 2), 'f4'))"
// RUN: python -c "import numpy; numpy.savez('%t.nan.npz', image=numpy.full((1, 1, 1, 2, 2), numpy.nan, 'f4'))"
// RUN: not ax-opt %s -p 'calibrate{data=%t.other.npz}' 2>&1 | filecheck %s --check-prefix OTHER
// RUN: not ax-opt %s -p 'calibrate{data=%t.shape.npz}' 2>&1 | filecheck %s --check-prefix SHAPE
// RUN: not ax-opt %s -p 'calibrate{data=%t.none.npz}' 2>&1 | filecheck %s --check-prefix NONE
// RUN: not ax-opt %s -p 'calibrate{data=%t.nan.npz}' 2>&1 | filecheck %s --check-prefix NAN
// RUN: not ax-opt %s -p 'calibrate{data=%s}' 2>&1 | filecheck %s --check-prefix TEXT
// RUN: not ax-opt %s -p 'calibrate{num-samples=many}' 2>&1 | filecheck %s --check-prefix OPTION
// RUN: echo 'builtin.module {}' | not ax-opt -p calibrate 2>&1 | filecheck %s --check-prefix EMPTY

// OTHER: error: {{.*}}other.npz: no array for the input 'image'
// OTHER-NEXT: note: it holds picture
// SHAPE: error: calibration sample 0: input 'image' must be float32 [1, 1, 2, 2], it is float32 [1, 1, 2, 3]
// NONE: error: there are no calibration samples
// NAN: error: calibration sample 0: input 'image' holds a NaN or an infinity
// TEXT: error: {{.*}}errors.mlir: cannot be read as an .npz file{{$}}
// TEXT-NEXT: note: write it with numpy.savez(FILE, input=samples)
// OPTION: error: option 'num-samples' takes int or none
// EMPTY: error: the module has no ax.graph @main
ax.graph @main(%x: tensor<1x1x2x2xf32> "image") -> ("y") {
  %y = ax.relu %x : tensor<1x1x2x2xf32> -> tensor<1x1x2x2xf32>
  ax.return %y : tensor<1x1x2x2xf32>
}
