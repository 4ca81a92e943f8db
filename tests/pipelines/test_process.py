"""Freed memory stays with the process."""

import subprocess
import sys

import pytest

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
