"""Files: written completely or not at all, hashed, and read as JSON. Standard library only."""

import errno
import hashlib
import json
import os
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pipelines.errors import Refused

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # what the file system says when there is no room left


@contextmanager
def atomic_write(path: str | os.PathLike) -> Iterator[Path]:
    """Gives a temporary path beside `path` to write to; when the block ends, one rename puts the file at `path`.

    If the block fails, the temporary file is removed and what was at `path` before stays as it was. Raises OSError with
    one sentence (name, reason, fix) for what the file system refuses.
    """
    path = Path(path)
    if path.exists() and not path.is_file():  # the rename would replace a device, /dev/null for example
        raise OSError(f"{path.name} could not be written (it is no file). Choose another place.")
    temporary = path.with_name(f".{secrets.token_hex(8)}{path.suffix}")  # some writers choose the format by the suffix
    try:
        yield temporary
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is None:  # it has its sentence already
            raise
        fix = "Free some disk space." if error.errno in FULL else "Choose another place."
        raise OSError(f"{path.name} could not be written ({error.strerror or error}). {fix}") from error
    finally:
        with suppress(OSError):  # after the rename there is nothing to remove
            temporary.unlink()


def check_output(path: str | os.PathLike, is_folder: bool = False) -> None:
    """Raise Refused where a file, or a folder, cannot be written: nothing to put it into, or another kind is there."""
    path = Path(path)
    if not path.parent.is_dir():
        raise Refused("The folder {folder} does not exist. Make it first.", folder=path.parent)
    if not path.exists():
        return
    if is_folder and not path.is_dir():
        raise Refused("{path} is there already and is no folder. Choose another name.", path=path)
    if not is_folder and not path.is_file():
        raise Refused("{path} is there already and is no file. Choose another name.", path=path)


def sha256_of(files: Iterable[str | os.PathLike]) -> str:
    """SHA-256, as hexadecimal text, of the contents of the files one after the other."""
    digest = hashlib.sha256()
    for file in files:
        with open(file, "rb") as opened:
            while block := opened.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()


def read_json(path: str | os.PathLike) -> dict[str, Any]:
    """The object that a JSON file holds. Raises Refused for a file that cannot be read or holds something else."""
    try:
        content = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Refused("{path} cannot be read ({reason}). Fetch it again.", path=str(path), reason=reason) from error
    if not isinstance(content, dict):
        raise Refused("{path} holds no JSON object. Fetch it again.", path=str(path))
    return content
