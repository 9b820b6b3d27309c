"""Count how many held-out digits `digits.onnx` gets right under ONNX Runtime; no torch needed.

    python examples/digits/evaluate.py [MODEL.onnx]

MODEL.onnx may be any model with the same input and output, for example a quantized one.
"""

import sys
from pathlib import Path

import data
import numpy as np
import onnxruntime


def main() -> None:
    model = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).with_name("digits.onnx")
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    for name, digits in zip(("train", "held-out"), data.load(), strict=True):
        # The model's batch dimension is 1.
        outputs = [np.asarray(session.run(["probabilities"], {"image": image[None]})[0]) for image in digits.images]
        right = np.count_nonzero(np.concatenate(outputs).argmax(axis=1) == digits.labels)
        print(f"{name}: {right} of {len(digits.labels)} = {right / len(digits.labels):.2%}")


if __name__ == "__main__":
    main()
