"""Every network in ever smaller memories, until the compiler refuses: is the program bit-exact at every step?

Four descents a network, each from the whole memory of the device, the quantized model being the same for all steps.
From step to step the limit becomes a share of what the last program used:

- `l1`: 0.7 of the L1.
- `l2`: half of the L2, and 0 once that is below 64 KiB: everything is in DDR.
- `both`: L1 and L2 together.
- `ddr`: without L2, half of the DDR.

A refusal has to name the layer, the buffers and the bytes; it is printed in full. `cycles` are modelled.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from harness import Report, Table, add_networks, make_parser, need_shared_folder, networks_of
from networks import NETWORKS, build, device_inputs

from axir.backends.aipu.image import read_image
from axir.backends.aipu.simulator import Simulator
from axir.compiler import CompilerConfig
from axir.compiler.quantized_model import QuantizedModel
from axir.ir.diagnostics import AxirError
from axir.runtime.tensor_info import I8
from axir.target.description import Target, load

MEMORIES = ("l1", "l2", "ddr")
FACTORS = {"l1": 0.7, "l2": 0.5, "ddr": 0.5}
SMALLEST_L2 = 64 * 1024

DESCENTS = {"l1": ("l1",), "l2": ("l2",), "both": ("l1", "l2"), "ddr": ("ddr",)}
"""The memories that get smaller, by the name of the descent."""

WITHOUT_L2 = ("ddr",)


@dataclass(frozen=True)
class Step:
    """A program for some limits in bytes: what it takes of the memories, its time, and whether it was right."""

    limits: Mapping[str, int]
    used: Mapping[str, int]
    cycles: int
    exact: bool


@dataclass
class Descent:
    """The steps of one descent; `refusal` is how it ended, at `refused`, unless at limits of 0."""

    name: str
    steps: list[Step] = field(default_factory=list[Step])
    refused: Mapping[str, int] = field(default_factory=dict[str, int])
    refusal: AxirError | None = None


class Sweep:
    """One quantized model and one input, lowered for many memories."""

    def __init__(self, model: QuantizedModel, inputs: list[I8], target: Target):
        self._model, self._inputs, self._target = model, inputs, target
        self._expected = model.hosted.run_device(inputs)

    def step(self, limits: Mapping[str, int]) -> Step:
        """Compile for the limits, check and run the program. Raises `AxirError` where the compiler refuses."""
        config = CompilerConfig(**{f"{memory}_constraint": limit for memory, limit in limits.items()})
        data = build(self._model, config, self._target)
        image = read_image(data, self._target)
        simulator = Simulator(image, self._target)
        try:
            outputs = simulator.run(self._inputs)
        except AxirError as error:
            raise AssertionError(f"the program for {dict(limits)} is wrong: {error.render()}") from error
        exact = all(np.array_equal(expected, found) for expected, found in zip(self._expected, outputs, strict=True))
        used = {str(memory): size for memory, size in image.memory.items()}
        return Step(limits, used, simulator.timing().cycles, exact)

    def down(self, name: str, seen: Callable[[Step], None]) -> Descent:
        """Take steps, each shown to `seen`, until the compiler refuses or nothing is left to take away."""
        limits = {memory: _usable(memory, self._target) for memory in DESCENTS[name]}
        if name in WITHOUT_L2:
            limits["l2"] = 0
        descent = Descent(name)
        while True:
            try:
                step = self.step(limits)
            except AxirError as error:
                descent.refused, descent.refusal = limits, error
                return descent
            descent.steps.append(step)
            seen(step)
            smaller = {memory: _next(memory, limit, step.used.get(memory, 0)) for memory, limit in limits.items()}
            if smaller == limits:
                return descent
            limits = smaller


def _usable(memory: str, target: Target) -> int:
    sizes = {"l1": target.l1, "l2": target.l2, "ddr": target.ddr}[memory]
    return sizes.size - sizes.reserved


def _next(memory: str, limit: int, used: int) -> int:
    smaller = int(FACTORS[memory] * min(limit, used))
    return 0 if memory == "l2" and smaller < SMALLEST_L2 else smaller


def explains(error: AxirError) -> bool:
    """Whether a refusal names the layer, bytes and at least one buffer with its size."""
    numbers = re.findall(r"\d[\d,]*", error.message)
    buffers = any(re.search(r"\S+ \d[\d,]*", note) for note in error.notes)
    return bool(error.node) and len(numbers) >= 2 and "bytes" in error.message and buffers


def main() -> int:
    parser = make_parser(__doc__)
    add_networks(parser, list(NETWORKS))
    parser.add_argument("--descents", nargs="*", choices=DESCENTS, default=list(DESCENTS), help="which (default: all)")
    arguments = parser.parse_args()
    shared = need_shared_folder()

    report = Report("Small memories", arguments.no_bars)
    target = load()
    descents: list[Descent] = []
    for name in networks_of(arguments):
        start = time.perf_counter()
        model = NETWORKS[name].quantize(shared)
        sweep = Sweep(model, device_inputs(model, NETWORKS[name].inputs(shared, 1)[0]), target)
        print(name)
        limits = {f"{memory}_limit": 11 for memory in MEMORIES}
        used = {f"{memory}_used": 11 for memory in MEMORIES}
        table = Table(descent=9, **limits, **used, cycles=13, bit_exact=9)
        for kind in arguments.descents:
            descent = sweep.down(kind, partial(_show, table, kind))
            if descent.refusal is not None:
                table.row(descent.name, *_limits(descent.refused), "", "", "", "", "refused")
                print("".join(f"    {line}\n" for line in descent.refusal.render().split("\n")), end="")
            descents.append(descent)
            if kind == "l1" and descent.steps:
                print(f"  smallest L1 of these steps that fits: {descent.steps[-1].limits['l1']:,} bytes")
        print(f"  {time.perf_counter() - start:.0f} s\n", flush=True)

    steps = [step for descent in descents for step in descent.steps]
    refusals = [descent.refusal for descent in descents if descent.refusal is not None]
    exact, explained = sum(step.exact for step in steps), sum(map(explains, refusals))
    report.bar(exact == len(steps), f"bit-exact at every step: {exact} of {len(steps)}")
    report.bar(explained == len(refusals), f"refusals name layer, buffers, bytes: {explained} of {len(refusals)}")
    ended = [descent for descent in descents if descent.name != "l2"]
    report.bar(all(descent.refusal for descent in ended), "all descents but those in L2 alone end in a refusal")
    return report.finish()


def _show(table: Table, descent: str, step: Step) -> None:
    used = [f"{step.used.get(memory, 0):,}" for memory in MEMORIES]
    table.row(descent, *_limits(step.limits), *used, f"{step.cycles:,}", "yes" if step.exact else "NO")


def _limits(limits: Mapping[str, int]) -> list[str]:
    return [f"{limits[memory]:,}" if memory in limits else "" for memory in MEMORIES]


if __name__ == "__main__":
    raise SystemExit(main())
