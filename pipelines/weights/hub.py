"""Folders and files of weights on this machine, fetched from the Hub first where they are not here yet."""

import os
import re
from pathlib import Path
from typing import Any

from pipelines.errors import Refused
from pipelines.files import FULL, read_json
from pipelines.weights.cache import cache_of, check_hashes, held_commit, hold_to
from pipelines.weights.download import Count, counting_bar, fetch_large, files_to_fetch
from pipelines.weights.errors import FetchError, unreachable
from pipelines.weights.pins import PINS

HUB_OPTIONS = ("cache_dir", "force_download", "local_files_only", "revision", "token")  # as diffusers names them
PATTERNS = ["*.json", "*.safetensors", "*.gguf", "*.model", "*.txt"]  # no pickles, no code
CONFIGURATIONS = ["*config.json", "model_index.json", "conversion.json"]  # of a model: a few kilobytes
REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")  # team/name, or team/name@revision
REPOSITORY_FILE = re.compile(r"([\w.-]+/[\w.-]+(?:@[\w.-]+)?)/(.+\.safetensors)")
LOGIN = (401, 403)  # answers that a login may change


def local_folder(name: str | os.PathLike, patterns: list[str] = PATTERNS, **options) -> Path:
    """The folder `name`, or that of the repository `name` in the cache: "team/name", or "team/name@revision".

    A download needs room on the disk, shows its progress (on the terminal, and to `progress.reporting_to`), resumes
    where it was interrupted, is checked against hashes and is not repeated; without a network the cache is used as it
    is. Where no revision is named the repository is held to one commit: the one of pins.py, else the one that was
    fetched here first. patterns: which files; options: see HUB_OPTIONS. Raises FetchError that says what to do where
    nothing can be opened.
    """
    if Path(name).is_dir():
        return Path(name)
    if not REPOSITORY.fullmatch(str(name)):
        raise FetchError("{name} is no folder here and no Hub repository's name. Check it.", name=name)
    repository, _, revision = str(name).partition("@")
    revision = revision or options.pop("revision", None)
    cache = cache_of(repository, options.get("cache_dir"))
    commit = revision or held_commit(repository, cache)
    wanted = {"repo_id": repository, "allow_patterns": patterns, **options, **({"revision": commit} if commit else {})}
    folder = _fetched(name, wanted, cache)
    pin = PINS.get(repository)
    check_hashes(name, folder, pin.sha256 if pin and folder.name == pin.revision else {})
    if not commit:
        hold_to(repository, cache, folder.name)
    return folder


def read_index(folder: Path, name: str | os.PathLike) -> dict[str, Any]:
    """What a model's model_index.json says: its parts and their classes. name: as it was asked for, for the sentence.

    Raises Refused for a folder without one, and for a damaged one.
    """
    if not (folder / "model_index.json").is_file():
        raise Refused("{model} holds no model_index.json. Give a folder in the diffusers layout.", model=name)
    return read_json(folder / "model_index.json")


def _fetched(name: str | os.PathLike, wanted: dict, cache: Path) -> Path:
    """The commit's folder in the cache, with all files that are wanted; every fault as a FetchError."""
    from huggingface_hub import errors, snapshot_download

    try:
        large, needed = files_to_fetch(name, wanted)
        count = Count(needed)
        fetch_large(wanted["repo_id"], large, wanted.get("token"), count)
        return Path(snapshot_download(**wanted, tqdm_class=counting_bar(count)))
    except errors.GatedRepoError as error:
        raise FetchError(
            "{name} asks for its terms to be accepted. Do so on its page, then log in with `hf auth login`.", name=name
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise FetchError(
            "{name} does not exist on the Hub, or needs a login. Check the name, or run `hf auth login`.", name=name
        ) from error
    except errors.RevisionNotFoundError as error:
        raise FetchError(
            "{name} has no revision {revision!r}. Check it.", name=wanted["repo_id"], revision=wanted.get("revision")
        ) from error
    except errors.LocalEntryNotFoundError as error:
        status = getattr(getattr(error.__cause__, "response", None), "status_code", None)
        raise _answered(name, status) from error
    except errors.HfHubHTTPError as error:
        raise _answered(name, error.response.status_code) from error
    except errors.HTTPError as error:  # of the library's own client: a connection that ends half-way
        raise _broken(name) from error
    except OSError as error:
        if error.errno in FULL:
            raise FetchError(
                "The disk became full while {name} was fetched. Free some space and try again: it goes on from there.",
                name=name,
            ) from error
        if error.errno is None:  # the library's sentence about a file that did not come whole
            raise _broken(name) from error
        raise FetchError(
            "{name} cannot be kept in {place} ({why}). Choose another folder with HF_HOME.",
            name=name,
            place=cache.parent,
            why=error.strerror,
        ) from error


def _broken(name: str | os.PathLike) -> FetchError:
    return FetchError("The connection broke while {name} was fetched. Try again: it goes on from there.", name=name)


def _answered(name: str | os.PathLike, status: int | None) -> FetchError:
    """The Hub answered with an error status, or, for None, not at all."""
    if status is None:
        return unreachable(name)
    if status in LOGIN:
        return FetchError(
            "{name} could not be fetched: the Hub answers {status}. Log in with `hf auth login`.",
            name=name,
            status=status,
        )
    return FetchError(
        "{name} could not be fetched: the Hub answers {status}. Try again later.", name=name, status=status
    )


def local_file(name: str | os.PathLike, **options) -> Path:
    """The file or folder `name`, or that file of a repository, "team/name/file.safetensors", fetched like a folder.

    options: as of `local_folder`. Raises FetchError as it does, and where the repository holds no such file.
    """
    parts = REPOSITORY_FILE.fullmatch(str(name))
    if Path(name).exists() or not parts:
        return Path(name)
    repository, file = parts.groups()
    found = local_folder(repository, [file], **options) / file
    if not found.is_file():
        raise FetchError(
            "{name} holds no {file}. Look on its page how the file is called now.", name=repository, file=file
        )
    return found
