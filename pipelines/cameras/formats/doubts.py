"""Files that can be read but were probably written in another convention than the format says.

Cameras alone, without pictures, do not prove a mistake: read with the wrong axes an orbit is a sway that looks
outwards, and a push-in a pull-back; read inverted an orbit is the mirrored orbit. What is reported would be odd for a
camera that somebody moved; nothing is changed but by `corrected`. Straight travel, small turns and, read inverted,
steady ones look the same in every convention.

backwards  the cameras look away from where they should. OpenGL axes (+y up, -z forward) read as OpenCV, or the other
           way round, flip y and z of every camera. Signs: all optical axes meet in one place behind the cameras; or the
           way bends and the camera follows the bends, travelling backwards all the time (inverse poses do that too).
inverse    w2c was given where c2w belongs, or the other way round. Signs: the cameras turn but all stand on one point
           that is not the origin (the inverse of an orbit round the origin); or the inverse of the poses makes a way
           less than a fifth as long (far from the origin every turn of an inverted camera swings it about), unless they
           orbit the origin.
y-up       the cameras stand upright on average in a world whose up is +y or +z, where ours has +y down. Harmless when
           the path is taken relative to its first camera; wrong axes in a world like ours look the same. Formats that
           leave the world's up open are suspected only if the first camera is turned so to the bit.
stretched  fx and fy differ by more than 2 %: the size given does not have the shape of the picture.

A mirrored matrix (determinant -1) is no doubt but an error: it is no camera, see `checked_c2w`.
"""

from dataclasses import dataclass, replace

import numpy as np

from pipelines.cameras.formats.shared import OPENGL_FROM_OPENCV
from pipelines.cameras.rotations import degrees_between, inverse
from pipelines.cameras.trajectory import Trajectory
from pipelines.errors import Refused

CORRECTIONS = ("backwards", "inverse", "y-up")


@dataclass(frozen=True)
class Doubt:
    """kind: as above. sentence: what was measured and what to do, for the command line; the page has its own words."""

    kind: str
    sentence: str


def doubts(trajectory: Trajectory, any_up: bool = False) -> list[Doubt]:
    """What is odd about cameras that were read. any_up: the format does not fix which way is up in the world."""
    found = [
        backwards(trajectory.c2w),
        inverted(trajectory.c2w),
        upright(trajectory.c2w, any_up),
        stretched(trajectory),
    ]
    return [doubt for doubt in found if doubt]


def backwards(c2w: np.ndarray) -> Doubt | None:
    R, position = c2w[:, :3, :3], c2w[:, :3, 3]
    depths = _meeting_depths(R, position)
    if depths is not None and (depths < 0).all():
        return Doubt(
            "backwards",
            f"The cameras look away from a place {-np.median(depths):.3g} units behind them. If they should look at "
            "it, the file has the other axes (OpenGL or OpenCV): read it with --fix backwards.",
        )
    steady, ahead = _steadiness(c2w)
    if steady > 0.9 and ahead < -0.9 and _turn(R) >= 30:
        return Doubt(
            "backwards",
            "The cameras follow a bending way and travel backwards all along it. If they should look ahead, the file "
            "has the other axes (OpenGL or OpenCV) or the inverse poses: read it with --fix backwards or inverse.",
        )
    return None


def inverted(c2w: np.ndarray) -> Doubt | None:
    fix = "If the way looks wrong, the file holds the inverse poses: read it with --fix inverse."
    R, position = c2w[:, :3, :3], c2w[:, :3, 3]
    turn = _turn(R)
    if turn < 10:
        return None
    far = np.linalg.norm(position, axis=1).mean()
    spread = np.linalg.norm(position - position.mean(0), axis=1).max()
    if far > 1e-6 and spread < 1e-3 * far:
        sentence = f"The cameras turn by {turn:.0f} degrees and all stand {far:.3g} units from the origin. {fix}"
        return Doubt("inverse", sentence)
    length, other_length = _length(position), _length(inverse(c2w)[:, :3, 3])
    to_origin = -position / np.maximum(np.linalg.norm(position, axis=1, keepdims=True), 1e-12)
    orbits_origin = ((to_origin * R[:, :, 2]).sum(1) > np.cos(np.radians(15))).mean() > 0.9
    if other_length < length / 5 and not orbits_origin:
        sentence = f"The way is {length:.3g} units long, but {other_length:.3g} if the poses are inverted. {fix}"
        return Doubt("inverse", sentence)
    return None


def upright(c2w: np.ndarray, any_up: bool) -> Doubt | None:
    if any_up and degrees_between(c2w[0, :3, :3], OPENGL_FROM_OPENCV[:3, :3]) > 1e-3:
        return None
    down = c2w[:, :3, 1].mean(0)  # of the cameras, in the world
    for axis, name in ((1, "+y"), (2, "+z")):
        if down[axis] < -0.7:
            return Doubt(
                "y-up",
                f"The cameras stand upright in a world whose up is {name}, where ours has +y down. Read it with "
                "--fix y-up; if the picture is upside down then, with --fix backwards.",
            )
    return None


def stretched(trajectory: Trajectory) -> Doubt | None:
    fx, fy = trajectory.K[:, 0, 0], trajectory.K[:, 1, 1]
    worst = int(np.argmax(np.abs(fx / fy - 1)))
    if abs(fx[worst] / fy[worst] - 1) <= 0.02:
        return None
    return Doubt(
        "stretched",
        f"Frame {worst} has fx={fx[worst]:.4g} and fy={fy[worst]:.4g} pixels: pixels that are not square. "
        f"Give the size of the picture with --size, not {trajectory.height}x{trajectory.width}.",
    )


def corrected(trajectory: Trajectory, kind: str) -> Trajectory:
    """The trajectory read in another convention. kind: one of CORRECTIONS; ValueError for any other."""
    if kind == "backwards":
        c2w = trajectory.c2w @ OPENGL_FROM_OPENCV
    elif kind == "inverse":
        c2w = inverse(trajectory.c2w)
    elif kind == "y-up":
        return trajectory.relative()
    else:
        allowed = ", ".join(CORRECTIONS)
        raise Refused("Unknown correction {kind!r:.40}. Choose from {allowed}.", kind=kind, allowed=allowed)
    return replace(trajectory, c2w=c2w)


def _length(position: np.ndarray) -> float:
    return float(np.linalg.norm(np.diff(position, axis=0), axis=1).sum())


def _turn(R: np.ndarray) -> float:
    """The largest turn between the first camera and any other, degrees."""
    return float(degrees_between(R, R[0]).max())


def _steadiness(c2w: np.ndarray) -> tuple[float, float]:
    """How steady the direction of travel is as the camera sees it, 0..1, and how much of it points ahead, -1..1."""
    step = np.diff(c2w[:, :3, 3], axis=0)
    step = np.einsum("tji,tj->ti", c2w[:-1, :3, :3], step)
    length = np.linalg.norm(step, axis=1)
    moving = length > 1e-3 * max(length.sum() / max(len(length), 1), 1e-9)
    if moving.sum() < 3:
        return 1.0, 0.0
    mean = (step[moving] / length[moving, None]).mean(0)
    return float(np.linalg.norm(mean)), float(mean[2])


def _meeting_depths(R: np.ndarray, position: np.ndarray) -> np.ndarray | None:
    """(T,) depth of the point where all optical axes meet; None where they do not."""
    ahead = R[:, :, 2]
    across = np.eye(3) - ahead[:, :, None] * ahead[:, None, :]
    A = across.mean(0)
    if np.linalg.eigvalsh(A)[0] < np.sin(np.radians(4)) ** 2 or _length(position) < 1e-9:  # nearly parallel
        return None
    point = np.linalg.solve(A, np.einsum("tij,tj->i", across, position) / len(position))
    depths = ((point - position) * ahead).sum(1)
    off = np.linalg.norm(np.einsum("tij,tj->ti", across, point - position), axis=1)
    return depths if off.max() < 0.1 * np.abs(depths).min() else None
