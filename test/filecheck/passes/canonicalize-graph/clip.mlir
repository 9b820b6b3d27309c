// RUN: ax-opt %s -p canonicalize-graph | filecheck %s

// CHECK:      ax.graph @relu
// CHECK-NEXT:   [[Y:%.*]] = ax.relu %x
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @relu(%x: tensor<1x3xf32> "x") -> ("y") {
  %a = ax.clip %x min 0.0 max 3.4028234663852886e+38 : tensor<1x3xf32> -> tensor<1x3xf32>
  %b = ax.relu %a : tensor<1x3xf32> -> tensor<1x3xf32>
  ax.return %b : tensor<1x3xf32>
}

// CHECK:      ax.graph @unbounded
// CHECK-NEXT:   ax.return %x
ax.graph @unbounded(%x: tensor<1x3xf32> "x") -> ("y") {
  %a = ax.clip %x min -3.4028234663852886e+38 max 3.4028234663852886e+38 : tensor<1x3xf32> -> tensor<1x3xf32>
  ax.return %a : tensor<1x3xf32>
}

// CHECK:      ax.graph @merged
// CHECK-NEXT:   [[Y:%.*]] = ax.clip %x min 0.000000e+00 max 5.000000e+00
// CHECK-NEXT:   ax.return [[Y]]
ax.graph @merged(%x: tensor<1x3xf32> "x") -> ("y") {
  %a = ax.clip %x min -1.0 max 6.0 : tensor<1x3xf32> -> tensor<1x3xf32>
  %b = ax.relu %a : tensor<1x3xf32> -> tensor<1x3xf32>
  %c = ax.clip %b min -2.0 max 5.0 : tensor<1x3xf32> -> tensor<1x3xf32>
  ax.return %c : tensor<1x3xf32>
}

// Bounds that do not meet leave one value, that of the later clip.
// CHECK:      ax.graph @disjoint
// CHECK-NEXT:   ax.clip %x min 3.000000e+00 max 3.000000e+00
ax.graph @disjoint(%x: tensor<1x3xf32> "x") -> ("y") {
  %a = ax.clip %x min 0.0 max 1.0 : tensor<1x3xf32> -> tensor<1x3xf32>
  %b = ax.clip %a min 3.0 max 4.0 : tensor<1x3xf32> -> tensor<1x3xf32>
  ax.return %b : tensor<1x3xf32>
}

// CHECK:      ax.graph @disjoint_above
// CHECK-NEXT:   ax.clip %x min 3.000000e+00 max 3.000000e+00
ax.graph @disjoint_above(%x: tensor<1x3xf32> "x") -> ("y") {
  %a = ax.clip %x min 5.0 max 6.0 : tensor<1x3xf32> -> tensor<1x3xf32>
  %b = ax.clip %a min 0.0 max 3.0 : tensor<1x3xf32> -> tensor<1x3xf32>
  ax.return %b : tensor<1x3xf32>
}

// CHECK:      ax.graph @used_between
// CHECK-NEXT:   [[A:%.*]] = ax.relu %x
// CHECK-NEXT:   [[B:%.*]] = ax.clip [[A]] min 1.000000e+00 max 6.000000e+00
// CHECK-NEXT:   ax.return [[A]], [[B]]
ax.graph @used_between(%x: tensor<1x3xf32> "x") -> ("y", "z") {
  %a = ax.relu %x : tensor<1x3xf32> -> tensor<1x3xf32>
  %b = ax.clip %a min 1.0 max 6.0 : tensor<1x3xf32> -> tensor<1x3xf32>
  ax.return %a, %b : tensor<1x3xf32>, tensor<1x3xf32>
}
