"""python -m pipelines render | evaluate | info | path | convert: the engine from the command line."""

import argparse
import json
import sys

from pipelines.commands import convert, evaluate, info, path, render
from pipelines.process import prepare_process

COMMANDS = {"render": render, "evaluate": evaluate, "info": info, "path": path, "convert": convert}


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pipelines", description=__doc__)
    subparsers = parser.add_subparsers(dest="command", required=True)
    for name, command in COMMANDS.items():
        command.add_arguments(subparsers.add_parser(name, help=command.HELP))
    return parser


def main(argv: list[str] | None = None) -> int:
    """Do what the command line says. Returns the exit code: 0, 2 for what cannot be done, 130 when it was stopped."""
    prepare_process()  # before anything imports torch
    args = build_parser().parse_args(argv)
    try:
        report = COMMANDS[args.command].run(args)
    except (ValueError, TypeError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("stopped.", file=sys.stderr)
        return 130
    print(json.dumps(report))
    return 0


if __name__ == "__main__":
    sys.exit(main())
