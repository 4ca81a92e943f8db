"""Freed memory stays with the process, and its threads wait as they should."""

import ast
import os
import subprocess
import sys

import pytest

from pipelines.process import OPENMP_NAMES, OPENMP_WAIT

PROGRAM = """
import resource, sys
import numpy as np
if "keep" in sys.argv:
    from pipelines.process import keep_freed_memory
    assert keep_freed_memory()
faults = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_minflt
def work():
    blocks = [np.ones(3_000_000) for _ in range(6)]  # 24 MB each
work()
before = faults()
for _ in range(5):
    work()
print(faults() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only glibc takes such settings")
def test_blocks_that_come_and_go_are_not_cleared_again_by_the_kernel():
    left, kept = (
        int(subprocess.run([sys.executable, "-c", PROGRAM, mode], check=True, capture_output=True, text=True).stdout)
        for mode in ("leave", "keep")
    )
    assert kept < left / 10


@pytest.mark.parametrize("given", [{}, {"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "7"}])
def test_how_threads_wait_is_set_unless_the_environment_says_so(given, monkeypatch):
    for name in OPENMP_NAMES:
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    program = (
        "import os, sys; from pipelines.process import prepare_process; prepare_process(); "
        "assert 'torch' not in sys.modules; print({n: os.environ[n] for n in sys.argv[1:] if n in os.environ})"
    )
    command = [sys.executable, "-W", "error", "-c", program, *OPENMP_NAMES]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert ast.literal_eval(done.stdout) == (given or OPENMP_WAIT)


def test_being_called_too_late_is_said():
    program = "import torch; from pipelines.process import prepare_process; prepare_process()"
    environment = {name: value for name, value in os.environ.items() if name not in OPENMP_NAMES}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
    assert done.returncode == 0 and "too late" in done.stderr
