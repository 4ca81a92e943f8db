"""The command line, one file per subcommand of `python -m pipelines`.

Each has HELP, a line about it; `add_arguments(parser)`, what it takes; and `run(args) -> dict`, which does the work and
returns what is printed as one line of JSON. `run` raises ValueError, TypeError or OSError with one sentence for what
cannot be done. None imports torch before `run`, so that `--help` answers at once.
"""
