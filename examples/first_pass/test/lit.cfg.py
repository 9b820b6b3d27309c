# ruff: noqa: F821 - lit defines config
import os
import sys

import lit.formats

config.name = "first-pass"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir"]
config.test_exec_root = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "build")
# lit clears the environment. ax-opt and filecheck are those of the Python that runs lit.
config.environment["PATH"] = os.pathsep.join([os.path.dirname(sys.executable), os.environ["PATH"]])
config.environment["PYTHONPATH"] = os.environ.get("PYTHONPATH", "")
