"""The team's library without the page: `python -m presets list | show | check | push | pull | diff | schema`."""

import argparse
import json
import os
import sys
from pathlib import Path

from pipelines.errors import Refused
from presets.exchange import MAX_PACK_BYTES, brought_in, exported
from presets.library import Catalogue, LocalLibrary
from presets.opening import data_folder, open_library
from presets.records import Record
from presets.schema import json_schema, shipped


def main(arguments: list[str] | None = None) -> int:
    """Returns the exit status: 1 where something is refused, or where `check` and `diff` find something."""
    options = parser().parse_args(arguments)
    try:
        return options.run(options)
    except (Refused, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m presets", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(run, name: str, help: str) -> argparse.ArgumentParser:
        added = commands.add_parser(name, help=help, description=help)
        added.set_defaults(run=run)
        return added

    library = {"default": None, "metavar": "TEAM/NAME", "help": "a dataset repository of the Hub (MIRAGE_LIBRARY)"}
    listed = command(list_presets, "list", "All presets, the shipped ones first, one a line.")
    listed.add_argument("--library", **library)
    shown = command(show, "show", "One preset as JSON, and its history.")
    shown.add_argument("id", metavar="ID")
    shown.add_argument("--library", **library)
    checking = command(check, "check", "Say of each file whether it can be brought in.")
    checking.add_argument("files", nargs="+", metavar="FILE", type=Path)
    command(schema, "schema", "The JSON schema of a preset's file (docs/preset.schema.json).")
    for run, name, help in (
        (push, "push", "Send the presets of this machine's folder to the Hub."),
        (pull, "pull", "Fetch the presets of the Hub into this machine's folder."),
        (diff, "diff", "What this machine's folder and the Hub do not have in common."),
    ):
        command(run, name, help).add_argument("--library", **library)
    return parser


def list_presets(options: argparse.Namespace) -> int:
    for preset in shipped().values():
        print(f"{preset.id:24} {preset.kind:7} {preset.name.en}")
    catalogue = library_of(options).catalogue()
    for id, record in sorted(catalogue.records.items(), key=lambda item: item[1].name.casefold()):
        print(f"{id:24} {record.current.preset.kind:7} {record.name}{marks(record)}")
    tell(catalogue)
    return 0


def show(options: argparse.Namespace) -> int:
    if options.id in shipped():
        print(exported(shipped()[options.id]).decode(), end="")
        return 0
    record = library_of(options).record(options.id)
    print(exported(record.current.preset).decode(), end="")
    for number, version in enumerate(record.versions, 1):
        mark = " (current)" if version == record.current else " (waits to be chosen)" * (version in record.others)
        print(f"{number:4} {version.at:%Y-%m-%d %H:%M} {version.change} by {version.by}{mark}", file=sys.stderr)
    return 0


def check(options: argparse.Namespace) -> int:
    bad = 0
    for path in options.files:
        try:
            with path.open("rb") as file:
                brought = brought_in(file.read(MAX_PACK_BYTES + 1), path.name)
        except Refused as error:
            print(error)
            bad += 1
            continue
        for sentence in brought.refused:
            print(sentence)
        bad += len(brought.refused)
        for preset in brought.presets:
            print(f"{path.name}: {preset.kind} {preset.name.en!r} is in order")
    return 1 if bad else 0


def schema(options: argparse.Namespace) -> int:
    print(json.dumps(json_schema(), indent=2))
    return 0


def push(options: argparse.Namespace) -> int:
    hub, folder = both(options)
    catalogue = folder.catalogue()
    for record in catalogue.records.values():
        hub.join(record, folder.thumbnail(record.id))
    tell(catalogue)
    status = hub.sync()
    print(f"{len(catalogue.records)} presets of this machine; {status.waiting} changes wait to be sent")
    return said(status)


def pull(options: argparse.Namespace) -> int:
    hub, folder = both(options)
    status = hub.sync()
    catalogue = hub.copy.catalogue()
    for record in catalogue.records.values():
        folder.join(record, hub.thumbnail(record.id))
    tell(catalogue)
    print(f"{len(catalogue.records)} presets of {status.name}")
    return said(status)


def diff(options: argparse.Namespace) -> int:
    hub, folder = both(options)
    status = hub.sync()
    here, there = folder.catalogue().records, hub.copy.catalogue().records
    lines = []
    for id in sorted(here.keys() | there.keys()):
        own, theirs = keys(here.get(id)), keys(there.get(id))
        if own != theirs:
            name = (here.get(id) or there[id]).name
            lines.append(f"{id:24} {len(own - theirs)} versions only here, {len(theirs - own)} only there: {name}")
    print("\n".join(lines) or "no difference")
    return 1 if lines else said(status)


def library_of(options: argparse.Namespace):
    return open_library(os.environ, options.library)


def both(options: argparse.Namespace):
    """The library on the Hub, and the folder on this machine."""
    hub = library_of(options)
    if isinstance(hub, LocalLibrary):
        raise Refused("Say which library of the Hub: --library TEAM/NAME, or MIRAGE_LIBRARY.")
    return hub, LocalLibrary(data_folder(os.environ) / "library")


def keys(record: Record | None) -> set[str]:
    return {version.key for version in record.versions} if record else set()


def marks(record: Record) -> str:
    now = record.current
    words = [word for word in ("approved", "locked", "archived") if getattr(now, word)]
    words += ["two versions wait to be chosen from"] if record.others else []
    return f" ({', '.join(words)})" if words else ""


def tell(catalogue: Catalogue) -> None:
    for sentence in catalogue.refused.values():
        print(sentence, file=sys.stderr)


def said(status) -> int:
    if status.reason:
        print(status.reason, file=sys.stderr)
    return 1 if status.reason else 0


if __name__ == "__main__":
    sys.exit(main())
