"""Imports point down only, in the order of LAYERS; nothing runs in circles; what must stay light brings in no torch."""

import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT
from import_graph import circles, find_modules, imports_of, longest_known

# From the top down. Each imports what stands on lines below its own: nothing above, and nothing beside it.
# `pipelines` alone is its __init__.py, which hands out the public names; whoever is below must not ask it for them.
LAYERS = """
app
studio
pipelines.__main__
pipelines.commands pipelines.training
pipelines.evaluation
pipelines.loading
pipelines pipelines.transformer
pipelines.pipeline_mirage
pipelines.recipe pipelines.inputs pipelines.output pipelines.opening
pipelines.photo
pipelines.engines
pipelines.large pipelines.inpainting pipelines.masks pipelines.events
pipelines.memory
pipelines.depth pipelines.synthetic
pipelines.weights pipelines.media pipelines.cameras pipelines.metrics pipelines.pictures
presets
pipelines.files
pipelines.errors pipelines.limits pipelines.process
"""
PACKAGES = ("app", "studio", "pipelines", "presets")
WITHOUT_TORCH = ("pipelines.cameras", "pipelines.media", "presets")  # and whatever they import of ours


# ---- the rules --------------------------------------------------------------------------------------------------


def layer_of(module: str, layers: list[list[str]]) -> tuple[int, str]:
    """The line that a module stands on, and the entry there that it belongs to. A package with entries of its own
    stands only for its __init__.py."""
    entries = [entry for layer in layers for entry in layer]
    for index, layer in enumerate(layers):
        for entry in layer:
            divided = any(other.startswith(f"{entry}.") for other in entries)
            if module == entry or (module.startswith(f"{entry}.") and not divided):
                return index, entry
    raise AssertionError(f"{module} has no place in LAYERS")


def upward_imports(root: Path, layers: str, packages: tuple[str, ...]) -> list[str]:
    """The imports that break the order, as sentences."""
    layers = [line.split() for line in layers.split("\n") if line]
    modules = find_modules(root, packages)
    for entry in (entry for layer in layers for entry in layer):
        find_modules(root, [entry])
    broken = []
    for module in modules:
        line, entry = layer_of(module, layers)
        for found in imports_of(module, modules, root):
            if found.module is None:
                continue
            other_line, other = layer_of(found.module, layers)
            if other != entry and other_line <= line:
                broken.append(f"{found.where} imports {found.name}: {entry} is not above {other}")
    return broken


def circular_imports(root: Path, packages: tuple[str, ...]) -> list[list[str]]:
    modules = find_modules(root, packages)
    graph = {module: {found.module for found in imports_of(module, modules, root)} - {None} for module in modules}
    return circles(graph)


def outside_imports(root: Path, packages: tuple[str, ...], starts: tuple[str, ...], name: str) -> list[str]:
    """Where a library is imported by modules of `starts`, or by any of ours that come in with them."""
    modules = find_modules(root, packages)
    find_modules(root, starts)
    to_visit = [m for m in modules if any(m == start or m.startswith(f"{start}.") for start in starts)]
    visited, where = set(to_visit), []
    while to_visit:
        module = to_visit.pop()
        imports = list(imports_of(module, modules, root))
        where += [f"{found.where} imports {found.name}" for found in imports if found.name.split(".")[0] == name]
        parents = {longest_known(module.rpartition(".")[0], modules)}  # Python runs a package's __init__.py first
        new = ({found.module for found in imports} | parents) - {None} - visited
        visited |= new
        to_visit += new
    return where


# ---- the tree keeps them ----------------------------------------------------------------------------------------


def test_imports_point_down_only():
    assert not upward_imports(ROOT, LAYERS, PACKAGES)


def test_no_imports_run_in_circles():
    assert not circular_imports(ROOT, PACKAGES)


def test_nothing_below_the_studio_knows_gradio():
    assert not outside_imports(ROOT, PACKAGES, ("pipelines", "presets"), "gradio")


@pytest.mark.parametrize("package", WITHOUT_TORCH)
def test_cameras_media_and_presets_need_no_torch(package):
    assert not outside_imports(ROOT, PACKAGES, (package,), "torch")


def test_the_page_s_layout_brings_in_no_torch():
    code = "import studio.page.layout, sys; sys.exit(', '.join({'torch', 'diffusers'} & sys.modules.keys()) or 0)"
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr


# ---- and a tree that does not is found out ----------------------------------------------------------------------

TREE = {
    "shop/__init__.py": "",
    "shop/till.py": "from stock import shelves\n",
    "stock/__init__.py": "",
    "stock/shelves.py": "import json\n",
    "stock/boxes/__init__.py": "",
    "stock/boxes/large.py": "from stock import shelves\n",
}
ORDER = "shop\nstock"


def write_tree(root: Path, changes: dict[str, str]) -> Path:
    for name, text in {**TREE, **changes}.items():
        (file := root / name).parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


def test_a_tree_in_order_has_no_findings(tmp_path):
    write_tree(tmp_path, {})
    assert upward_imports(tmp_path, ORDER, ("shop", "stock")) == []
    assert circular_imports(tmp_path, ("shop", "stock")) == []


@pytest.mark.parametrize(
    "upward",
    [
        "import shop.till",
        "import json, shop.till as till",
        "from shop import till",
        "from shop.till import pay",
        "def sell():\n    from shop.till import pay",
        "if TYPE_CHECKING:\n    from shop import till",
        "class Box:\n    from shop import till",
    ],
)
def test_an_upward_import_is_named(tmp_path, upward):
    write_tree(tmp_path, {"stock/shelves.py": f"{upward}\n"})
    [sentence] = upward_imports(tmp_path, ORDER, ("shop", "stock"))
    assert sentence.startswith("stock/shelves.py:") and sentence.endswith("stock is not above shop")
    assert "imports shop.till" in sentence


def test_what_stands_side_by_side_does_not_import_each_other(tmp_path):
    write_tree(tmp_path, {})
    order = "stock\nstock.boxes stock.shelves\nshop"
    [sentence] = upward_imports(tmp_path, order, ("stock",))
    assert sentence.endswith("imports stock.shelves: stock.boxes is not above stock.shelves")


@pytest.mark.parametrize("missing", ["shop", "stock.boxes", "stock.cellar"])
def test_a_folder_that_is_not_there_or_empty_is_named(tmp_path, missing):
    write_tree(tmp_path, {})
    folder = tmp_path.joinpath(*missing.split("."))
    for file in folder.glob("*"):
        file.unlink()
    order = f"shop\nstock stock.shelves {missing}"
    with pytest.raises(AssertionError, match=f"{missing} is not there, or holds no module"):
        upward_imports(tmp_path, order, ("stock",))
    with pytest.raises(AssertionError, match=f"{missing} is not there"):
        outside_imports(tmp_path, ("stock",), (missing,), "torch")


def test_a_module_without_a_place_is_named(tmp_path):
    write_tree(tmp_path, {"stock/loose.py": ""})
    with pytest.raises(AssertionError, match="stock.loose has no place in LAYERS"):
        upward_imports(tmp_path, "stock\nstock.boxes\nstock.shelves", ("stock",))


@pytest.mark.parametrize(
    ("changes", "circle"),
    [
        ({"stock/shelves.py": "from stock.boxes import large"}, ["stock.boxes.large", "stock.shelves"]),
        ({"stock/shelves.py": "def fill():\n    import stock.boxes.large"}, ["stock.boxes.large", "stock.shelves"]),
        ({"stock/shelves.py": "from .boxes import large"}, ["stock.boxes.large", "stock.shelves"]),
        ({"stock/boxes/large.py": "from ..boxes import large"}, ["stock.boxes.large"]),
        (
            {"stock/shelves.py": "from shop import till", "stock/boxes/__init__.py": "from stock.boxes import large"},
            ["shop.till", "stock.shelves"],
        ),
        (
            {"stock/boxes/__init__.py": "import stock.boxes.large", "stock/shelves.py": "import stock.boxes"},
            ["stock.boxes", "stock.boxes.large", "stock.shelves"],
        ),
    ],
)
def test_a_circle_is_named(tmp_path, changes, circle):
    write_tree(tmp_path, changes)
    assert circular_imports(tmp_path, ("shop", "stock")) == [circle]


def test_a_heavy_library_is_found_however_deep(tmp_path):
    write_tree(tmp_path, {"stock/shelves.py": "def add():\n    import torch.nn\n"})
    found = ["stock/shelves.py:2 imports torch.nn"]
    assert outside_imports(tmp_path, ("shop", "stock"), ("shop",), "torch") == found
    assert outside_imports(tmp_path, ("shop", "stock"), ("stock.boxes",), "torch") == found
    assert outside_imports(tmp_path, ("shop", "stock"), ("shop",), "gradio") == []
    write_tree(tmp_path, {"stock/__init__.py": "from torch import nn\n"})
    found = ["stock/__init__.py:1 imports torch.nn"]
    assert outside_imports(tmp_path, ("shop", "stock"), ("stock.boxes",), "torch") == found


# ---- sizes ------------------------------------------------------------------------------------------------------


def test_shipped_files_fit_a_hosted_repository():
    files = [file for file in (ROOT / "pipelines").rglob("*") if file.is_file()]
    assert all(file.stat().st_size < 10 * 2**20 for file in files)
    assert sum(file.stat().st_size for file in files) < 60 * 2**20
