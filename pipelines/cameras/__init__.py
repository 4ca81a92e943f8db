"""Cameras, paths and moves. numpy only: importing this package brings in no torch."""

from pipelines.cameras.camera import Camera
from pipelines.cameras.keys import Key
from pipelines.cameras.moves import MOVES, Move, checked_frames, move
from pipelines.cameras.path import Path
from pipelines.cameras.projection import pixel_centers, project, unproject
from pipelines.cameras.shortening import shortened
from pipelines.cameras.speed import excess_speed, steps_over_cap
from pipelines.cameras.trajectory import Trajectory

__all__ = [
    "MOVES",
    "Camera",
    "Key",
    "Move",
    "Path",
    "Trajectory",
    "checked_frames",
    "excess_speed",
    "move",
    "pixel_centers",
    "project",
    "shortened",
    "steps_over_cap",
    "unproject",
]
