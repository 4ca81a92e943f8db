"""The pair that Spatia reads: `w2c.txt` and normalised `intrinsics.txt`."""

import json
from collections.abc import Mapping

import numpy as np

from pipelines.cameras.formats.shared import both, floats, from_w2c, in_pixels, line_of, natural_size, normalised
from pipelines.cameras.rotations import inverse
from pipelines.cameras.trajectory import Trajectory
from pipelines.errors import Refused, Sentence

SPATIA = Sentence("Spatia, w2c in OpenCV axes (+x right, +y down, +z forward), intrinsics in widths and heights")
FPS = 24  # what Spatia renders at; its files give none


def to_spatia(trajectory: Trajectory) -> dict[str, str]:
    """`w2c.txt`: one JSON 4x4 per line; `intrinsics.txt`: one line [fx fy cx cy] in widths and heights of the picture.

    Raises ValueError when the lens changes along the path: the pair holds one lens.
    """
    lens = normalised(trajectory[0])
    for index, camera in enumerate(trajectory):
        if not np.allclose(normalised(camera), lens, rtol=1e-6, atol=1e-9):
            raise Refused(
                "Frame {index} has another lens than frame 0 ({own:.4g} and {first:.4g} widths); "
                "the Spatia pair holds one lens for all. Keep one field of view, or export RealEstate10K.",
                index=index,
                own=normalised(camera)[0],
                first=lens[0],
            )
    return {
        "w2c.txt": "".join(json.dumps((inverse(camera.c2w) + 0.0).tolist()) + "\n" for camera in trajectory),
        "intrinsics.txt": f"[{' '.join(map(repr, lens))}]\n",
    }


def from_spatia(
    files: Mapping[str, str], height: int | None = None, width: int | None = None, fps: int | float | None = None
) -> Trajectory:
    """Assumes w2c in OpenCV axes, 3x4 or 4x4, one per line, and one lens (or one line of intrinsics per frame).

    height, width: without them the picture is 288 high and as wide as makes pixels square; fps: 24 without one, which
    is Spatia's own. Raises ValueError with the file, the line, the limit and the fix.
    """
    if missing := [name for name in ("w2c.txt", "intrinsics.txt") if name not in files]:
        raise Refused(
            "{files} missing ({convention}). Give the folder that holds both.", files=both(missing), convention=SPATIA
        )
    poses = [(number, line) for number, line in enumerate(files["w2c.txt"].splitlines(), start=1) if line.strip()]
    lenses = [
        floats(line_of("intrinsics.txt", number), line.strip().strip("[]").replace(",", " ").split(), 4)
        for number, line in enumerate(files["intrinsics.txt"].splitlines(), start=1)
        if line.strip()
    ]
    if not poses or len(lenses) not in (1, len(poses)):
        raise Refused(
            "w2c.txt has {cameras} cameras and intrinsics.txt {lines} lines, must be one line, or one per "
            "camera, and at least one camera. Export the pair again.",
            cameras=len(poses),
            lines=len(lenses),
        )
    if height is None or width is None:
        height, width = natural_size(lenses[0])
    cameras = []
    for index, (number, line) in enumerate(poses):
        place = line_of("w2c.txt", number)
        try:
            w2c = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Refused(
                "{place} is no JSON matrix ({convention}). Write one 3x4 or 4x4 per line.",
                place=place,
                convention=SPATIA,
            ) from error
        K = in_pixels(lenses[index if len(lenses) > 1 else 0], height, width)
        cameras.append(from_w2c(place, SPATIA, K, w2c, height, width))
    return Trajectory.from_cameras(cameras, FPS if fps is None else fps)
