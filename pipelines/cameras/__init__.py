"""Cameras, paths and moves. numpy only: importing this package brings in no torch."""

from pipelines.cameras.camera import Camera
from pipelines.cameras.trajectory import Trajectory

__all__ = ["Camera", "Trajectory"]
