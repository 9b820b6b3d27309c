// Without data: random samples, with a warning; the same for the same seed.
// RUN: ax-opt %s -p 'calibrate{num-samples=3 seed=7},quantize' > %t.first
// RUN: ax-opt %s -p 'calibrate{num-samples=3 seed=7},quantize' | diff - %t.first
// RUN: ax-opt %s -p 'calibrate{num-samples=3 seed=8},quantize' | not diff - %t.first > %t.diff
// RUN: ax-opt %s -p 'calibrate{num-samples=3}' 2>&1 | filecheck %s
// RUN: not ax-opt %s -p 'calibrate{num-samples=0}' 2>&1 | filecheck %s --check-prefix NONE
// RUN: not ax-opt %s -p 'calibrate{data=%t.missing.npz}' 2>&1 | filecheck %s --check-prefix MISSING

// CHECK: warning: calibrating with 3 random samples; pass data=FILE.npz for real ones
// NONE: error: num-samples must be at least 1, not 0
// MISSING: error: {{.*}}missing.npz: No such file or directory
ax.graph @main(%x: tensor<1x3x8x8xf32> "image") -> ("y") {
  %y = ax.tanh %x : tensor<1x3x8x8xf32> -> tensor<1x3x8x8xf32>
  ax.return %y : tensor<1x3x8x8xf32>
}
