"""A scene on disk: the memory of a place and the camera its photo was taken with, so that work can go on later."""

import json
import math
import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipelines.cameras import Camera
from pipelines.errors import Refused
from pipelines.files import atomic_write
from pipelines.memory import LatentMemory

MEMORY_FILE, INDEX_FILE = "memory.safetensors", "scene.json"
FORMAT, VERSION = "mirage-scene", 1


@dataclass(frozen=True)
class Scene:
    """A place that clips are made in.

    memory: everything seen and invented so far; camera: the photo's; distance: depth of its subject (D), scene units.
    """

    memory: LatentMemory
    camera: Camera
    distance: float

    def save(self, folder: str | os.PathLike) -> None:
        """Write the folder's two files, each complete or not at all. A folder made for them is removed if that fails.

        Raises OSError when the disk refuses.
        """
        folder = Path(folder)
        is_new = not folder.exists()
        index = {
            "format": FORMAT,
            "version": VERSION,
            "distance": self.distance,
            "camera": {
                "K": self.camera.K.tolist(),
                "c2w": self.camera.c2w.tolist(),
                "height": self.camera.height,
                "width": self.camera.width,
            },
        }
        folder.mkdir(parents=True, exist_ok=True)
        try:
            with atomic_write(folder / INDEX_FILE) as temporary:
                temporary.write_text(json.dumps(index, indent=1))
                self.memory.save(folder / MEMORY_FILE)  # the index gets its name once the memory has its own
        except BaseException:
            if is_new:
                shutil.rmtree(folder, ignore_errors=True)
            raise

    @classmethod
    def load(cls, folder: str | os.PathLike) -> "Scene":
        """Read what `save` wrote. Raises Refused when the folder holds no scene, or a damaged or newer one."""
        folder = Path(folder)
        if not (folder / INDEX_FILE).is_file() or not (folder / MEMORY_FILE).is_file():
            raise Refused(
                "{folder} holds no scene: {index} and {memory} are needed. Render one first.",
                folder=folder,
                index=INDEX_FILE,
                memory=MEMORY_FILE,
            )
        try:
            index = json.loads((folder / INDEX_FILE).read_text())
            if index["format"] != FORMAT or index["version"] > VERSION:
                raise Refused(
                    "format {format!r} version {version} is not known; update the program",
                    format=index["format"],
                    version=index["version"],
                )
            stored = index["camera"]
            camera = Camera(np.array(stored["K"]), np.array(stored["c2w"]), stored["height"], stored["width"])
            distance = float(index["distance"])
            if not 0 < distance < math.inf:
                raise Refused("distance={distance} must be positive and finite", distance=distance)
        except (KeyError, TypeError, ValueError, OverflowError) as error:
            raise Refused(
                "{path} cannot be read: {error}. Render the scene again.", path=folder / INDEX_FILE, error=error
            ) from error
        return cls(LatentMemory.load(folder / MEMORY_FILE), camera, distance)

    def camera_for(self, height: int, width: int) -> Camera:
        """The photo's camera for a clip of this size and shape: the same place and middle, the lens kept."""
        scale = max(height / self.camera.height, width / self.camera.width)
        K = self.camera.K.copy()
        K[:2, :2] *= scale
        K[:2, 2] = (K[:2, 2] - (self.camera.width / 2, self.camera.height / 2)) * scale + (width / 2, height / 2)
        return Camera(K, self.camera.c2w, height, width)
