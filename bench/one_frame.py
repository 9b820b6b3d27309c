"""Run an image on the device model in this process and print, as JSON, the seconds of each part.

    python bench/one_frame.py model.axm INPUTS.npz [--warm 3]

INPUTS.npz holds the stored inputs, int8 NCHW, by their names in the image. `import` is loading Python modules.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import median
from time import perf_counter


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", type=Path)
    parser.add_argument("inputs", type=Path)
    parser.add_argument("--warm", type=int, default=3, help="frames after the first; their median is `warm`")
    arguments = parser.parse_args()
    marks = [perf_counter()]
    names: list[str] = []

    def mark(name: str) -> None:
        names.append(name)
        marks.append(perf_counter())

    import numpy as np

    from axir.backends.aipu.image import read_image
    from axir.backends.aipu.simulator import Simulator
    from axir.target.description import load

    mark("import")
    target = load()
    image = read_image(arguments.image, target)
    with np.load(arguments.inputs) as archive:
        inputs = [archive[port.label] for port in image.inputs]
    mark("load")
    simulator = Simulator(image, target)
    simulator.check()
    mark("check")
    simulator.run(inputs)
    mark("first")
    timing = simulator.timing()
    mark("time")
    warm: list[float] = []
    for _ in range(arguments.warm):
        start = perf_counter()
        simulator.run(inputs)
        warm.append(perf_counter() - start)
    parts = {name: end - start for name, start, end in zip(names, marks, marks[1:], strict=False)}
    print(json.dumps({**parts, "warm": median(warm), "cycles": timing.cycles}))


if __name__ == "__main__":
    main()
