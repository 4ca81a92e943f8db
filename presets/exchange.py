"""Presets that travel: one as a file, several as a zip. Nothing of a stranger's file is unpacked to disk."""

import io
import zipfile
import zlib
from typing import NamedTuple

from pipelines.errors import Refused, Sentence
from presets.reading import MAX_FILE_BYTES
from presets.records import new_id, revalidated
from presets.schema import Preset, read_preset

SUFFIX = ".mirage-preset.json"
MAX_ENTRIES = 100
MAX_PACK_BYTES = 8 * 2**20  # compressed
ODD = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
)  # encrypted ones are the fifth


class Brought(NamedTuple):
    """What a file held: presets with ids of their own, and why the others could not be read."""

    presets: list[Preset]
    refused: list[Sentence]


def exported(preset: Preset) -> bytes:
    """The preset's file, UTF-8 JSON as docs/presets.md has it."""
    return preset.model_dump_json(by_alias=True, indent=2).encode() + b"\n"


def packed(presets: list[Preset]) -> bytes:
    """A zip of at most 100 presets, each under its id."""
    if len(presets) > MAX_ENTRIES:
        raise Refused("A pack holds at most {limit} presets, got {count}.", limit=MAX_ENTRIES, count=len(presets))
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as pack:
        for preset in presets:
            pack.writestr(f"{preset.id}{SUFFIX}", exported(preset))
    return target.getvalue()


def brought_in(data: bytes, name: str) -> Brought:
    """The presets of one file, JSON or zip, told apart by the first bytes. name: for the sentences.

    They get new ids, so that nothing of the library is written over. Raises Refused where the whole file is of no use.
    """
    if not data.startswith(b"PK"):
        return Brought([_renewed(read_preset(data, name))], [])
    presets, refused = [], []
    for entry, content in _entries(data, name):
        try:
            presets.append(_renewed(read_preset(content, entry)))
        except Refused as error:
            refused.append(error.sentence)
    return Brought(presets, refused)


def _entries(data: bytes, name: str) -> list[tuple[str, bytes]]:
    """(name, bytes) of each entry, cut one byte behind what a preset may hold, for its reader to refuse."""
    if len(data) > MAX_PACK_BYTES:
        raise Refused("{file} is over {limit} bytes, the limit for a pack. Split it.", file=name, limit=MAX_PACK_BYTES)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as pack:
            entries = [entry for entry in pack.infolist() if not entry.is_dir()]
            if len(entries) > MAX_ENTRIES:
                raise Refused(
                    "{file} holds {count} entries, at most {limit} are read. Split it.",
                    file=name,
                    count=len(entries),
                    limit=MAX_ENTRIES,
                )
            return [(_last_part(entry.filename), pack.open(entry).read(MAX_FILE_BYTES + 1)) for entry in entries]
    except ODD as error:
        raise Refused("{file} is no zip that can be read. Pack it again.", file=name) from error


def _last_part(name: str) -> str:
    return name.replace("\\", "/").rsplit("/", 1)[-1][:60]


def _renewed(preset: Preset) -> Preset:
    return revalidated(preset, {"id": new_id(), "version": 1})
