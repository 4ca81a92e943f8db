"""Which models a studio offers, and how they come up: the operator's settings, checked before anything is fetched."""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from pipelines.depth import ESTIMATORS, PLUG_INS, depth_estimator
from pipelines.large.families import FewSteps
from pipelines.large.profiles import PROFILES, is_available
from pipelines.loading import EMBEDDED, choose_setup, load_large, lora_bytes, parse_few_steps
from pipelines.weights.hub import REPOSITORY

BETTER_DEPTH = "depth-anything"


@dataclass(frozen=True)
class Settings:
    """model: "embedded", a folder or a Hub repository. depth: name of an estimator, a folder or a repository; None:
    the one that ships with the project. profile: how a large model fits into the GPU; None: by the memory that is free.
    few_steps: a LoRA for few steps, and how it is sampled: "FILE [NAME=VALUE ...]", as on the command line.
    """

    model: str = EMBEDDED
    depth: str | None = None
    profile: str | None = None
    few_steps: str | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """MIRAGE_MODEL and so on, by the names of the fields. Raises ValueError: name, value, what is allowed."""
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
        for name in ("profile", "few_steps"):
            if self.model == EMBEDDED and (value := getattr(self, name)):
                refuse(name.upper(), value, "none, since the embedded model needs no GPU; set MIRAGE_MODEL with it")
        possible = [name for name, profile in PROFILES.items() if is_available(profile)]
        if self.profile not in (None, *possible):
            refuse("PROFILE", self.profile, f"{', '.join(possible)} on this machine")
        self.lora_for_few_steps()

    def lora_for_few_steps(self) -> FewSteps | None:
        """Raises ValueError where it cannot be read."""
        if self.few_steps is None:
            return None
        file, *values = shlex.split(self.few_steps)
        return parse_few_steps(file, "MIRAGE_FEW_STEPS", values)

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
    """Fetch what is not here yet, read it and put it where it fits; whether it fits is known before.

    Raises ValueError or OSError with one sentence.
    """
    if settings.model == EMBEDDED:
        from pipelines import MiragePipeline  # torch comes in here, not before

        return Opened(MiragePipeline.embedded(settings.depth))
    few_steps = settings.lora_for_few_steps()
    setup = choose_setup(settings.model, profile=settings.profile, reserved_bytes=lora_bytes(few_steps))
    depth = {} if settings.depth is None else {"depth": depth_estimator(settings.depth)}
    pipe = load_large(settings.model, setup, few_steps=few_steps, **depth)
    if setup.device == "cpu":
        return Opened(pipe, profile=setup.profile and setup.profile.name)
    import torch

    return Opened(pipe, torch.cuda.get_device_name(), setup.profile.name, setup.free_bytes)
