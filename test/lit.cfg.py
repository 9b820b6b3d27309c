"""Configuration of lit. `--param inproc=1` runs ax-opt inside lit's workers, about ten times faster."""

import os
import shutil
import sys

import lit.formats

here = os.path.dirname(os.path.abspath(__file__))

config.name = "axir"
if lit_config.params.get("inproc"):
    sys.path.insert(0, here)
    from inproc_format import InProcessTest

    config.test_format = InProcessTest()
else:
    config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test"]
config.test_source_root = os.path.join(here, "filecheck")
config.test_exec_root = os.path.join(here, "_out")
config.excludes = ["Inputs"]

# lit clears the environment. The tools are those of the Python that runs lit.
config.environment["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
for variable in ("PYTHONPATH", "PYTHONHASHSEED", "AXIR_SHARED"):
    if variable in os.environ:
        config.environment[variable] = os.environ[variable]

config.substitutions.append(("%{inputs}", os.path.join(here, "filecheck", "Inputs")))

for tool in ("mlir-opt-22", "mlir-opt-19", "mlir-opt"):
    if shutil.which(tool):
        config.available_features.add("mlir-opt")
        config.substitutions.append(("%mlir-opt", tool))
        break
