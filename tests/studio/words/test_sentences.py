"""Every sentence exists in both languages: those of the page, and every reason that the engine can refuse with."""

import re
from pathlib import Path
from string import Formatter

import pytest
from engine_sentences import Template, plain_errors, templates

from pipelines.errors import Refused, Sentence
from pipelines.media.photos import PhotoError
from studio.words import TEXT, Refusal, explain, say, translated
from studio.words.editor import SCRIPT
from studio.words.engine import ITALIAN, TABLES
from studio.words.figures import decimal, duration, size
from studio.words.refusals import CHOICES

ROOT = Path(__file__).resolve().parents[3]
STUDIO = ROOT / "studio"
SAME = {"quality_standard", "quality_full"}  # words that are the same in both languages
SAME_IN_EDITOR = {"around", "as_re10k", "as_colmap", "as_nerfstudio", "as_blender", "as_spatia"}


def blanks(text: str) -> set[tuple]:
    """What is filled into a sentence, and how: (name, format, conversion)."""
    return {(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None}


# -- the page ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("table", [TEXT, SCRIPT], ids=["page", "editor"])
def test_every_sentence_exists_in_both_languages_with_the_same_blanks(table):
    for key, (english, italian) in table.items():
        assert english.strip() and italian.strip(), key
        assert blanks(english) == blanks(italian), key
    same = {key for key, (english, italian) in table.items() if english == italian}
    assert same <= SAME | SAME_IN_EDITOR


def test_every_sentence_that_the_code_names_exists():
    code = "".join(file.read_text() for file in STUDIO.rglob("*.py"))
    named = set(re.findall(r'(?:say\(\w+, |Refusal\(\s*)"(\w+)"', code))
    assert len(named) > 30 and named <= TEXT.keys()


def test_every_sentence_of_the_page_is_used():
    files = [file for file in STUDIO.rglob("*") if file.suffix == ".py" and file.parent != STUDIO / "words"]
    code = "".join(file.read_text() for file in [*files, STUDIO / "words" / "sentences.py"])
    code += str(CHOICES)
    words = set(re.findall(r"[\w-]+", code))  # keys stand alone, or in a list of words
    begun = tuple(re.findall(r"\b([a-z]+_){", code))  # "found_{kind}", "{name}_{what}"
    begun += ("model_", "depth_")
    assert [key for key in TEXT if key not in words and not key.startswith(begun)] == []


# -- the engine -------------------------------------------------------------------------------------------------------

REASONS = list(templates())


def test_every_sentence_of_the_engine_is_one_literal():
    assert len(REASONS) > 100
    assert [reason.place for reason in REASONS if reason.text is None] == []


def test_every_reason_exists_in_italian_with_the_same_blanks():
    missing = {reason.text: reason.place for reason in REASONS if reason.text is not None}
    missing = {text: place for text, place in missing.items() if text not in ITALIAN}
    assert missing == {}
    assert {english for english, italian in ITALIAN.items() if blanks(english) != blanks(italian)} == set()


def test_no_translation_is_left_over():
    assert ITALIAN.keys() - {reason.text for reason in REASONS} == set()


def test_no_sentence_is_translated_twice():
    assert sum(len(table.SENTENCES) for table in TABLES) == len(ITALIAN)


# Errors that no visitor's input leads to: commands, trainers, figures and scenes speak to whoever types a command; the
# disk's own errors are told as such; all others are arguments of the wrong shape, from code that calls this one.
NOT_FOR_THE_PAGE = ("commands/", "training/", "evaluation/", "synthetic/")
OF_THE_DISK = {"files atomic_write", "large/convert convert"}
OF_CALLERS = {
    "cameras/checks shown",
    "cameras/checks surfaces",
    "cameras/repairs repaired",
    "depth/__init__ register",
    "depth/__init__ add",
    "depth/embedded forward",
    "engines/autoencoder check_multiple",
    "engines/large __init__",
    "engines/large decode",
    "inpainting/exemplar _fill",
    "large/denoising denoise_chunk",
    "large/tiles parts_of",
    "large/transformer __init__",
    "large/transformer _check",
    "masks/__init__ whole_cells",
    "masks/__init__ check_inputs",
    "memory/alignment align_depth",
    "memory/alignment as_depth",
    "memory/files demand",
    "memory/files write_ply",
    "memory/latent_memory __init__",
    "memory/latent_memory write",
    "memory/latent_memory merge",
    "memory/latent_memory crop",
    "memory/latent_memory _check_write",
    "memory/latent_memory readout",
    "memory/references choose_references",
    "memory/top_view top_view",
    "presets/records _is_whole",  # pydantic turns it into a refusal
}


def test_what_a_visitor_may_read_is_no_error_without_a_translation():
    plain = {place for place in plain_errors() if not place.startswith(NOT_FOR_THE_PAGE)}
    assert plain == OF_THE_DISK | OF_CALLERS


def test_a_sentence_that_is_put_together_is_found(tmp_path):
    (tmp_path / "pipelines").mkdir()
    (tmp_path / "pipelines" / "odd.py").write_text(
        "class Odd(errors.Refused): ...\nclass Odder(Odd): ...\n"
        'def fail(x):\n    raise Odder(f"{x} is odd")\n'
        'def more(x):\n    return Sentence("{x} " "more", x=x), ValueError(x)\n'
    )
    assert list(templates(tmp_path)) == [
        Template(None, "pipelines/odd.py:4"),
        Template("{x} more", "pipelines/odd.py:6"),
    ]
    (tmp_path / "pipelines" / "odd.py").write_text(
        "def fail(x):\n    raise ValueError(x)\ndef refuse(x):\n    raise Refused('no')\ndef again():\n    raise\n"
    )
    assert list(plain_errors(tmp_path)) == ["odd fail"]


def test_sentences_inside_sentences_are_translated_too():
    place = Sentence("Line {number} of {file}", number=3, file="w2c.txt")
    inner = Refused(
        "{place} has {got} numbers where {count} belong. Export the model again.", place=place, got=2, count=4
    )
    outer = Refused("{file}: {reason}", file="path.txt", reason=inner)
    assert str(outer) == "path.txt: Line 3 of w2c.txt has 2 numbers where 4 belong. Export the model again."
    assert explain("en", outer) == f"The engine refused: {outer}"
    said = "path.txt: La riga 3 di w2c.txt ha 2 numeri, ma ne servono 4. Esporta di nuovo il modello."
    assert explain("it", outer) == f"Il motore ha rifiutato: {said}"
    assert translated("it", Sentence("nobody says this")) == "nobody says this"


def test_italian_writes_decimals_with_a_comma():
    error = PhotoError(
        "The photo is {aspect:.1f} times as long as wide, at most {limit:.0f} is accepted. Crop it first.",
        aspect=5.25,
        limit=4.0,
    )
    assert explain("it", error) == "La foto è lunga 5,2 volte la sua larghezza, al massimo 4. Ritagliala prima."
    assert explain("en", error) == str(error)
    assert say("it", "stopped_partial", seconds=1.25) == "Fermato dopo 1,2 s di video. La parte pronta è salva."
    assert (decimal("it", 4.1), decimal("en", 4.1), size("it", 3.4e9), size("en", 34e6)) == (
        "4,1",
        "4.1",
        "3,4 GB",
        "34 MB",
    )
    assert (duration("it", 41), duration("en", 125)) == ("40 s", "2 min")


# -- any error --------------------------------------------------------------------------------------------------------


def test_any_error_has_a_sentence_and_none_shows_folders_of_this_machine():
    assert explain("it", OSError("/secret/clip.mp4 could not be written")) == say("it", "not_saved")
    assert explain("it", KeyError("/secret/x")) == say("it", "unexpected", reason="KeyError")
    assert explain("en", ValueError("see '/secret/x'\nand more")) == "The engine refused: see … and more"
    assert explain("en", Refusal("bad_path", reason=ValueError())) == "This path cannot be used: ValueError"
    assert len(explain("en", ValueError("x" * 5000))) < 400
    for folder in (Path("/secret folder/model"), "/secret folder/model"):
        missing = Refused("{path} does not exist. Give a file with cameras, or a folder.", path=folder)
        assert explain("it", Refusal("bad_path", reason=missing)).startswith("Questo percorso non si può usare: … non")
        assert explain("en", missing) == "The engine refused: … does not exist. Give a file with cameras, or a folder."


def test_a_refusal_may_be_the_reason_of_another():
    inner = Refusal("long_path", letters=9, limit=5)
    assert explain("it", Refusal("bad_path", reason=inner)) == (
        "Questo percorso non si può usare: Il testo ha 9 lettere, se ne leggono al massimo 5. Accorcia il percorso."
    )


def test_a_refusal_names_field_and_choices_as_the_page_does():
    refusal = Refusal("bad_value", name="quality", value="None", allowed=("draft", "full"))
    assert explain("it", refusal).startswith("qualità: il valore è vuoto, è ammesso Bozza, Full HD.")
    assert explain("en", refusal).startswith("quality is empty, allowed is draft, full.")
