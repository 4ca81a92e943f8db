"""Folders of weights on this machine, fetched from the Hub first where they are not here yet."""

import hashlib
import os
import re
import shutil
from pathlib import Path

HUB_OPTIONS = ("cache_dir", "force_download", "local_files_only", "revision", "token")  # as diffusers names them
PATTERNS = ["*.json", "*.safetensors", "*.model", "*.txt"]  # no pickles, no code
SHA256 = re.compile(r"[0-9a-f]{64}")
VERIFIED = "verified.txt"  # in a repository's cache: hash, size and time of the files that were found intact


def local_folder(name: str | os.PathLike, **options) -> Path:
    """The folder `name`, or that of the repository `name` in the cache.

    A download needs room on the disk, shows its progress, resumes where it was interrupted, is checked against the
    hashes of the Hub and is not repeated; without a network the cache is used as it is. options: see HUB_OPTIONS.
    Raises ValueError or OSError that says what to do where nothing can be opened.
    """
    if Path(name).is_dir():
        return Path(name)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", str(name)):
        raise ValueError(f"{name} is no folder here and no Hub repository's name. Check it.")
    from huggingface_hub import errors, snapshot_download

    wanted = {"repo_id": str(name), "allow_patterns": PATTERNS, **options}
    try:
        check_room(name, wanted)
        folder = Path(snapshot_download(**wanted))
    except errors.GatedRepoError as error:
        reason = "asks for its terms to be accepted. Do so on its page, then log in with `hf auth login`."
        raise ValueError(f"{name} {reason}") from error
    except errors.RepositoryNotFoundError as error:
        reason = "does not exist on the Hub, or needs a login. Check the name, or run `hf auth login`."
        raise ValueError(f"{name} {reason}") from error
    except errors.RevisionNotFoundError as error:
        raise ValueError(f"{name} has no revision {options.get('revision')!r}. Check it.") from error
    except errors.LocalEntryNotFoundError as error:
        reason = "is not complete on this machine and the Hub cannot be reached. Connect to fetch the rest."
        raise ValueError(f"{name} {reason}") from error
    except errors.HfHubHTTPError as error:
        status = error.response.status_code
        fix = "Log in with `hf auth login`." if status in (401, 403) else "Try again later."
        raise ValueError(f"{name} could not be fetched: the Hub answers {status}. {fix}") from error
    check_hashes(name, folder)
    return folder


def check_room(name: str | os.PathLike, wanted: dict) -> None:
    """Raises OSError where what is still to be fetched would not fit. Without a network nothing is."""
    from huggingface_hub import constants, errors, snapshot_download

    try:
        files = snapshot_download(**wanted, dry_run=True)
    except errors.DryRunError:
        return
    needed = sum(file.file_size or 0 for file in files if file.will_download)
    cache = Path(wanted.get("cache_dir") or constants.HF_HUB_CACHE)
    free = shutil.disk_usage(next(folder for folder in (cache, *cache.parents) if folder.exists())).free
    if needed > free:
        raise OSError(f"{name} needs {needed / 2**30:.1f} GiB, {free / 2**30:.1f} are free. Free some disk space.")


def check_hashes(name: str | os.PathLike, folder: Path) -> None:
    """Compare large files with their SHA-256, once each. Raises ValueError for a damaged one, which is removed."""
    record = folder.parent.parent / VERIFIED
    verified = set(record.read_text().splitlines()) if record.exists() else set()
    for file in sorted(folder.rglob("*")):
        blob = file.resolve()  # the cache names large files by their hash
        if not SHA256.fullmatch(blob.name):
            continue
        facts = f"{blob.name} {blob.stat().st_size} {blob.stat().st_mtime_ns}"
        if facts in verified:
            continue
        with blob.open("rb") as opened:
            if hashlib.file_digest(opened, "sha256").hexdigest() != blob.name:
                file.unlink()
                blob.unlink()
                raise ValueError(f"{file.name} of {name} is damaged and was removed. Fetch it again.")
        verified.add(facts)
        record.write_text("\n".join(sorted(verified)))
