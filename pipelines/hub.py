"""Folders of weights on this machine, fetched from the Hub first where they are not here yet."""

import os
import re
from pathlib import Path

HUB_OPTIONS = ("cache_dir", "force_download", "local_files_only", "revision", "token")  # as diffusers names them
PATTERNS = ["*.json", "*.safetensors", "*.model", "*.txt"]  # no pickles, no code


def local_folder(name: str | os.PathLike, **options) -> Path:
    """The folder `name`, or that of the repository `name` in the cache.

    A download shows its progress, resumes where it was interrupted, and is not repeated; without a network the cache is
    used as it is. options: see HUB_OPTIONS. Raises ValueError that says what to do where nothing can be opened.
    """
    if Path(name).is_dir():
        return Path(name)
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", str(name)):
        raise ValueError(f"{name} is no folder here and no Hub repository's name. Check it.")
    from huggingface_hub import errors, snapshot_download

    try:
        return Path(snapshot_download(str(name), allow_patterns=PATTERNS, **options))
    except errors.GatedRepoError as error:
        reason = f"{name} asks for its terms to be accepted. Do so on its page, then log in with `hf auth login`."
        raise ValueError(reason) from error
    except errors.RepositoryNotFoundError as error:
        reason = f"{name} does not exist on the Hub, or needs a login. Check the name, or run `hf auth login`."
        raise ValueError(reason) from error
    except errors.RevisionNotFoundError as error:
        raise ValueError(f"{name} has no revision {options.get('revision')!r}. Check it.") from error
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled) as error:
        raise ValueError(
            f"{name} is not on this machine and the Hub does not answer. Connect once to fetch it."
        ) from error
