"""Imports point down only: app -> studio -> pipelines -> presets."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {"presets": set(), "pipelines": {"presets"}, "studio": {"pipelines", "presets"}}


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_imports_point_down_only(package):
    forbidden = {"app", *MAY_IMPORT} - MAY_IMPORT[package] - {package}
    if package != "studio":
        forbidden.add("gradio")
    for file in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module]
            for name in names:
                assert name.split(".")[0] not in forbidden, f"{file.relative_to(ROOT)} imports {name}"


def test_shipped_files_fit_a_hosted_repository():
    files = [file for file in (ROOT / "pipelines").rglob("*") if file.is_file()]
    assert all(file.stat().st_size < 10 * 2**20 for file in files)
    assert sum(file.stat().st_size for file in files) < 60 * 2**20
