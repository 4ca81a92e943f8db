"""Which models a studio offers, and how they come up: the operator's settings, checked before anything is fetched."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pipelines.depth import ESTIMATORS, PLUG_INS, depth_estimator
from pipelines.hub import REPOSITORY, local_folder

EMBEDDED = "embedded"  # the model, and the depth estimator, that ship with the project
BETTER_DEPTH = "depth-anything"


@dataclass(frozen=True)
class Settings:
    """model: "embedded", a folder or a Hub repository. depth: name of an estimator, a folder or a repository; None:
    the one that ships with the project. profile: how a large model fits into the GPU; None: by the memory that is free.
    """

    model: str = EMBEDDED
    depth: str | None = None
    profile: str | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """MIRAGE_MODEL, MIRAGE_DEPTH, MIRAGE_PROFILE. Raises ValueError: name, value, what is allowed."""
        given = {name: environment.get(f"MIRAGE_{name.upper()}", "").strip() for name in cls.__dataclass_fields__}
        settings = cls(**{name: value for name, value in given.items() if value})
        settings.check()
        return settings

    def check(self) -> None:
        if self.model != EMBEDDED and not may_hold(self.model, "model_index.json"):
            refuse(
                "MODEL", self.model, f"{EMBEDDED}, a folder with a model_index.json, or a Hub repository (team/name)"
            )
        estimators = [*ESTIMATORS, *(point.name for point in entry_points(group=PLUG_INS))]
        if self.depth not in (None, *estimators) and not may_hold(self.depth, "config.json"):
            names = ", ".join(estimators)
            refuse("DEPTH", self.depth, f"{names}, a folder with a config.json, or a Hub repository (team/name)")
        if self.profile is None:
            return
        if self.model == EMBEDDED:
            refuse("PROFILE", self.profile, "none, since the embedded model needs no GPU; set MIRAGE_MODEL with it")
        import torch  # only who names a profile waits for this before the page is there

        from pipelines.profiles import PROFILES, is_available

        has_gpu = torch.cuda.is_available()
        possible = [name for name, x in PROFILES.items() if is_available(x) and (has_gpu or x.transformer != "turns")]
        if self.profile not in possible:
            refuse("PROFILE", self.profile, f"{', '.join(possible)} on this machine")

    @property
    def more_depths(self) -> tuple[str, ...]:
        """What visitors may choose instead of the built-in estimator; nothing where the operator has chosen."""
        return (BETTER_DEPTH,) if self.model == EMBEDDED and self.depth is None else ()


def may_hold(name: str, file: str) -> bool:
    """A folder with such a file, or what could be a repository's name."""
    return (Path(name) / file).is_file() if Path(name).is_dir() else REPOSITORY.fullmatch(name) is not None


def refuse(name: str, value: str, allowed: str) -> None:
    raise ValueError(f"MIRAGE_{name} is {value!r}, allowed is {allowed}.")


@dataclass(frozen=True)
class Opened:
    """A pipeline that is ready. device: "cpu", or what the GPU is called. profile: how a large model fits there, and
    free: the bytes of GPU memory it was picked for, None where the operator named it."""

    pipe: Any
    device: str = "cpu"
    profile: str | None = None
    free: int | None = None


def open_model(settings: Settings) -> Opened:
    """Fetch what is not here yet, read it and put it where it fits. Raises ValueError or OSError with one sentence."""
    is_large = settings.model != EMBEDDED
    folder = local_folder(settings.model) if is_large else None  # before torch is read: what fails is told at once
    depth = {} if settings.depth is None else {"depth": depth_estimator(settings.depth)}
    from pipelines import MiragePipeline  # torch comes in here, not before

    if not is_large:
        return Opened(MiragePipeline.embedded(**depth))
    import torch

    from pipelines import profiles

    has_gpu = torch.cuda.is_available()
    name, free = settings.profile, None
    if name is None and has_gpu:
        free = torch.cuda.mem_get_info()[0]
        name = profiles.choose_profile(free, profiles.costs_of(folder, frames=None)).name
    dtype = {} if name is None else {"torch_dtype": profiles.COMPUTE}
    # by its name, which the licence card shows; everything is here
    pipe = MiragePipeline.from_pretrained(settings.model, local_files_only=True, **depth, **dtype)
    if name is not None:
        profiles.apply(pipe, name, "cuda" if has_gpu else "cpu")
    return Opened(pipe, torch.cuda.get_device_name() if has_gpu else "cpu", name, free)
