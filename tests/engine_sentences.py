"""Finds every sentence that the engine can refuse something with, by reading its code."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Template:
    """text: None where it is not one literal."""

    text: str | None
    place: str


def trees(root: Path) -> dict[Path, ast.Module]:
    """All code of the engine and of the presets but the file that makes `Sentence` and `Refused`."""
    files = {*(root / "pipelines").rglob("*.py"), *(root / "presets").rglob("*.py")}
    files = sorted(files - {root / "pipelines" / "errors.py"})
    return {file: ast.parse(file.read_text(encoding="utf-8")) for file in files}


def name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def refusals(modules: list[ast.Module]) -> set[str]:
    """Names of `Refused`, of the classes made of it, and of `Sentence`."""
    classes = [node for tree in modules for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    names, before = {"Refused"}, set()
    while names != before:
        before = names
        names = names | {node.name for node in classes if names & {name_of(base) for base in node.bases}}
    return names | {"Sentence"}


PLAIN = {"ValueError", "TypeError", "OSError", "RuntimeError", "KeyError", "FileNotFoundError"}  # and Exception itself


def plain_errors(root: Path = ROOT) -> Iterator[str]:
    """Where the engine raises an error of Python's own, whose sentence has no translation: file, and function."""
    for file, tree in trees(root).items():
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            raised = (node.exc for node in ast.walk(function) if isinstance(node, ast.Raise))
            if any(isinstance(error, ast.Call) and name_of(error.func) in {*PLAIN, "Exception"} for error in raised):
                yield f"{str(file.relative_to(root).with_suffix('')).removeprefix('pipelines/')} {function.name}"


def templates(root: Path = ROOT) -> Iterator[Template]:
    """Every first argument of `Refused`, of its subclasses and of `Sentence` under `root`."""
    found = trees(root)
    names = refusals(list(found.values()))
    for file, tree in found.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and name_of(node.func) in names:
                first = node.args[0] if node.args else None
                is_literal = isinstance(first, ast.Constant) and isinstance(first.value, str)
                yield Template(first.value if is_literal else None, f"{file.relative_to(root)}:{node.lineno}")
