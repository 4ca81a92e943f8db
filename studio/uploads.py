"""Uploaded files: which are ours to read, and that none stays once it is read."""

import contextlib
from pathlib import Path

from gradio.utils import get_upload_folder, is_in_or_equal


def is_upload(path) -> bool:
    """A file that the upload route wrote, and nothing else on this machine."""
    if not isinstance(path, str) or len(path) > 1024 or "\0" in path:
        return False
    return is_in_or_equal(path, get_upload_folder()) and Path(path).is_file()


def discard(upload: str) -> None:
    """Remove an upload, and the folder that the upload route made for it."""
    upload = Path(upload).resolve()
    upload.unlink(missing_ok=True)
    if upload.parent != Path(get_upload_folder()).resolve():
        with contextlib.suppress(OSError):  # another file came in with it
            upload.parent.rmdir()
