"""The page without a browser: what it brings in, how widgets and handlers are tied, and its drawings."""

import inspect
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from fake_pipeline import FakeEngine, FakePipeline

from pipelines import MiragePipeline
from pipelines.engines.base import Engine
from presets.schema import load_moves
from studio.order import Inputs
from studio.page.drawings import drawing
from studio.page.language import language_of
from studio.page.layout import build_studio
from studio.page.wiring import INPUTS
from studio.pictures import strip_svg
from studio.words import TEXT
from studio.workbench import Workbench

ROOT = Path(__file__).parents[3]
ELEMENTS = {"preset": "cards", "path": "editor"}  # elements of the page that are called otherwise


def test_opening_the_page_brings_in_no_torch():
    code = "import app, studio.page.layout, sys; studio.page.layout.build_studio(); "
    code += "print([name for name in ('torch', 'diffusers', 'transformers') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.strip().endswith("[]")


def test_every_handler_gets_every_widget_under_its_own_name(workbench):
    """A widget more is one field of Inputs more; nothing counts places."""
    demo = build_studio(workbench)
    by_id = {block._id: block for block in demo.blocks.values()}
    handled = 0
    for fn in demo.fns.values():
        names = [by_id[block._id].elem_id for block in fn.inputs][2:]
        if len(names) > 1:
            assert names == [ELEMENTS.get(name, name) for name in INPUTS], fn.name
            handled += 1
    assert handled > 20 and INPUTS == tuple(field.name for field in fields(Inputs))


def test_a_new_page_shows_what_inputs_start_with(workbench):
    demo = build_studio(workbench)
    shown = {getattr(block, "elem_id", None): block for block in demo.blocks.values()}
    for name in set(INPUTS) - {"depth"}:
        assert shown[ELEMENTS.get(name, name)].value == getattr(Inputs(), name), name
    assert shown["depth"].value == "embedded"


def parameters(function):
    return [(each.name, each.default, each.kind) for each in inspect.signature(function).parameters.values()]


def test_the_stand_in_takes_what_the_pipeline_takes():
    assert parameters(FakePipeline.stream) == parameters(MiragePipeline.stream)
    assert (FakePipeline.lift, FakePipeline.recipe) == (MiragePipeline.lift, MiragePipeline.recipe)
    for method in ("encode", "decode"):
        named, real = (parameters(getattr(engine, method)) for engine in (FakeEngine, Engine))
        assert [name for name, *_ in named] == [name for name, *_ in real]


def test_every_move_has_a_drawing_of_its_own():
    drawings = {drawing(preset.move) for preset in load_moves().values()}
    assert len(drawings) == len(load_moves()) and not any("plain" in svg for svg in drawings)


@pytest.mark.parametrize(("header", "language"), [("it-IT,it;q=0.9,en;q=0.8", "it"), ("de,en;q=0.7", "en"), ("", "en")])
def test_language_follows_the_browser(header, language):
    request = type("Request", (), {"headers": {"accept-language": header}})()
    assert language_of(request) == language


def test_the_strip_is_numbers_and_escaped_words_only():
    svg = strip_svg(np.array([1.0, 0.5, np.nan, 2.0]), '"><script>')
    assert "<script>" not in svg and "nan" not in svg


def test_every_label_is_there_in_italian():
    demo = build_studio(Workbench())
    english = {text[0] for text in TEXT.values() if text[0] != text[1]}
    labelled = {
        number: block.label for number, block in demo.blocks.items() if getattr(block, "label", None) in english
    }
    assert len(labelled) > 8
    assert {label for number, label in labelled.items() if "label" not in demo.words["it"].get(number, {})} == set()
