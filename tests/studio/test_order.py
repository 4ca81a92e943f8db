"""What the widgets hold is checked by name: what is refused, in whose words, and what an order renders."""

import re
from dataclasses import replace

import pytest
from visit import PHOTO_ID, last, returned, settled

from studio.handlers import clip, move, preview
from studio.order import Inputs, Order
from studio.words import Refusal


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("preset", None, "No move is chosen"),
        ("preset", "../push-in", "move is '../push-in'"),
        ("preset", {"a": 1}, "move is"),
        ("seconds", 0, "seconds is 0, allowed is 2–8"),
        ("seconds", 10_000, "seconds is 10000"),
        ("seconds", 2.5, "seconds is 2.5"),
        ("seconds", float("nan"), "seconds is nan"),
        ("seconds", "4", "seconds is '4'"),
        ("ratio", "21:9", "format is '21:9'"),
        ("quality", "final", "quality is 'final'"),
        ("direction", "up", "direction is 'up'"),
        ("strength", 1e9, "strength is"),
        ("focus", -1, "crop is -1"),
        ("seed", -1, "seed is -1"),
        ("seed", True, "seed is True"),
        ("seed", 2**40, "seed is"),
        ("prompt", {"text": "a"}, "description is {'text': 'a'}"),
        ("prompt", "a" * 1001, "The description has 1001 letters, at most 1000 are read. Shorten it."),
        ("depth", "../../etc", "depth is '../../etc'"),
        ("depth", {"a": 1}, "depth is"),
        ("zoom", 49, "closeness is 49, allowed is 50–150"),
    ],
)
def test_bad_payloads_get_a_sentence(session, workbench, name, value, sentence):
    inputs = replace(settled(), **{name: value})
    with pytest.raises(Refusal, match=re.escape(sentence)):
        Order.read(inputs)
    for handler in (preview.preview, clip.render, preview.shorten):
        answer = last(handler(workbench, session, "it", inputs))
        assert answer["stage"]["error"].endswith((".", "!"))
        assert answer["render"]["visible"] and not answer["cancel"]["visible"]


def test_a_made_up_choice_does_no_more_than_find_the_strength_anew(session, workbench, monkeypatch):
    monkeypatch.setattr(move, "suited", lambda *_: (60, 110))
    for value in ({"a": 1}, 7, "", "../../etc", ["x"] * 10_000):
        for name in ("picked", "suited"):
            steps = move.settle(workbench, session, "en", replace(settled(), **{name: value}))
            (inputs, order), answers = returned(steps)
            assert inputs.suited == inputs.choice(PHOTO_ID)
            assert (order.strength, order.zoom) == (0.6, 1.1)
            assert answers[-1] == {"strength": 60, "zoom": 110, "suited": inputs.suited}


def test_a_refusal_names_the_widget_in_the_language_of_the_page():
    with pytest.raises(Refusal) as refused:
        Order.read(settled(seed=-1))
    assert refused.value.said_in("it").startswith("seme: il valore è -1, è ammesso 0–2147483647.")


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("preset", "x", "Avvicinamento lento"),
        ("ratio", "x", "è ammesso Come la foto, 16:9"),
        ("quality", "x", "è ammesso Bozza, Standard, Full HD."),
        ("direction", "x", "è ammesso Sinistra, Destra, Avanti, Indietro."),
        ("prompt", 1, "è ammesso testo."),
    ],
)
def test_a_refusal_names_the_choices_as_the_page_does(name, value, words):
    with pytest.raises(Refusal) as refused:
        Order.read(replace(settled(), **{name: value}))
    assert words in refused.value.said_in("it")


def test_a_field_that_was_cleared_is_called_empty(session, workbench):
    answer = last(preview.preview(workbench, session, "it", settled(seed=None)))
    assert answer["stage"]["error"].startswith("seme: il valore è vuoto, è ammesso 0–2147483647")


def test_an_order_gives_back_the_widgets_it_was_read_from():
    inputs = settled("side-slide", direction="left", strength=80, focus=20, zoom=120, prompt="a room")
    assert replace(Order.read(inputs).inputs(), suited=inputs.suited) == inputs
    assert Order.read(replace(Inputs(), preset="push-in")).inputs() == replace(
        Inputs(), preset="push-in", picked="push-in"
    )
