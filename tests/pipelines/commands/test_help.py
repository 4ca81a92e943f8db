"""The command line answers --help at once: no torch comes in."""

import subprocess
import sys

import pytest
from helpers import ROOT

from pipelines.__main__ import COMMANDS

HELP_WITHOUT_TORCH = """
import sys
from pipelines.__main__ import main
try:
    main(sys.argv[1:])
finally:
    assert not {"torch", "diffusers", "transformers"} & sys.modules.keys()
"""


@pytest.mark.parametrize("command", [None, *COMMANDS])
def test_help_brings_in_no_torch(command):
    words = [command, "--help"] if command else ["--help"]
    code = [sys.executable, "-c", HELP_WITHOUT_TORCH, *words]
    result = subprocess.run(code, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0 and not result.stderr, result.stderr
    assert result.stdout.startswith(f"usage: python -m pipelines {command or '[-h]'}")
    assert command or all(name in result.stdout for name in COMMANDS)
