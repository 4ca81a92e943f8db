"""Files that appear whole or not at all, and what tells them from others. Standard library only."""

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def atomic_write(path: str | os.PathLike) -> Iterator[Path]:
    """A temporary name beside `path` to write to; the block's end gives the file its own name in one step.

    When the block fails nothing of it stays, and what was under `path` before is as it was. What the disk refuses is
    raised as an OSError with one sentence: name, reason, fix.
    """
    path = Path(path)
    if path.exists() and not path.is_file():  # a name would take the place of a device, /dev/null for example
        raise OSError(f"{path.name} could not be written (it is no file). Choose another place.")
    temporary = path.with_name(f".{secrets.token_hex(8)}{path.suffix}")  # the suffix tells writers the format
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is None:  # already a sentence
            raise
        fix = "Free some disk space." if error.errno in FULL else "Choose another place."
        raise OSError(f"{path.name} could not be written ({error.strerror or error}). {fix}") from error
    finally:
        with suppress(OSError):  # where nothing can be written there may be nothing to take away
            temporary.unlink()


def sha256_of(files: Iterable[str | os.PathLike]) -> str:
    """Of the contents of files, one after the other."""
    digest = hashlib.sha256()
    for file in files:
        with open(file, "rb") as opened:
            while block := opened.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def read_json(path: str | os.PathLike) -> dict[str, Any]:
    """The object that a JSON file holds. Raises ValueError with one sentence for anything else."""
    try:
        content = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ValueError(f"{path} cannot be read ({reason}). Fetch it again.") from error
    if not isinstance(content, dict):
        raise ValueError(f"{path} holds no JSON object. Fetch it again.")
    return content
