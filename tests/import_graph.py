"""Who imports whom, read from the source: imports inside functions and under `if TYPE_CHECKING` count as well."""

import ast
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple


class Import(NamedTuple):
    """One import. module: of ours, that was found; name: what the line says. where: file and line."""

    module: str | None
    name: str
    where: str


def find_modules(root: Path, packages: Iterable[str]) -> dict[str, Path]:
    """Files by dotted name, of packages and of single modules in `root`. Raises AssertionError for one without any."""
    modules = {}
    for package in packages:
        folder, file = root.joinpath(*package.split(".")), root.joinpath(*package.split(".")).with_suffix(".py")
        files = [file] if file.is_file() else sorted(folder.rglob("*.py"))
        assert files, f"{package} is not there, or holds no module"
        for file in files:
            parts = file.relative_to(root).with_suffix("").parts
            modules[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = file
    return modules


def imports_of(module: str, modules: Mapping[str, Path], root: Path) -> Iterator[Import]:
    """All that a module imports, ours or not. In `from package import name` the name may be a module too."""
    file = modules[module]
    package = module if file.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = package.split(".")[: len(package.split(".")) - node.level + 1]
                base = ".".join([*parents, *filter(None, [node.module])])
            names = [f"{base}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield Import(longest_known(name, modules), name, f"{file.relative_to(root)}:{node.lineno}")


def longest_known(name: str, modules: Mapping[str, Path]) -> str | None:
    """`pipelines.depth.edges.connected` -> `pipelines.depth.edges`; None for what is not ours."""
    while name and name not in modules:
        name = name.rpartition(".")[0]
    return name or None


def circles(graph: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """The strongly connected components of more than one module, and modules that import themselves (Tarjan 1972)."""
    number, lowest, stack, found = {}, {}, [], []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for other in graph[module]:
            if other not in number:
                visit(other)
            if other in stack:
                lowest[module] = min(lowest[module], lowest[other])
        if lowest[module] == number[module]:
            start = stack.index(module)
            component = sorted(stack[start:])
            del stack[start:]
            if len(component) > 1 or module in graph[module]:
                found.append(component)

    for module in graph:
        if module not in number:
            visit(module)
    return sorted(found)
