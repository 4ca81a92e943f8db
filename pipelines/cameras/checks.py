"""What is wrong with a camera path before it is rendered. numpy only; docs/path.md has the table.

`check_path` looks at the cameras that would render and gives findings: machine names and numbers, the page has the
words. Every finding names its repair, see `repairs.py`.
"""

from dataclasses import asdict, dataclass

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.curve import fov
from pipelines.cameras.path import Path
from pipelines.cameras.projection import pixel_centers, project, unproject
from pipelines.cameras.speed import quarter_second, steps
from pipelines.cameras.trajectory import Trajectory, checked_distance
from pipelines.limits import BACKED, CLEARANCE, FOV_DEGREES, SEEN, SLACK, TORN, TRAVEL, TURN_DEGREES

HIGHER = 0.25  # of D: how far up is tried before a path is called liftable
REACHED = 1e-6
SURFACE_POINTS = 4000


@dataclass(frozen=True)
class Outlook:
    """What a photo, as a place, will show of the frames of a path; `photo.outlook.look` finds it.

    coverage (T,): share of every frame that comes from the photo, 0..1, as the finished clip measures it, to 0.01 or
    so. torn (T,): share of every frame that opens between surfaces: unknown, with something known on both sides,
    0 and more; what opens beside a surface that is near counts twice, since that is what one looks at. What the camera
    sees beyond the photo's rim does not count.
    """

    coverage: np.ndarray
    torn: np.ndarray


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a path, over a run of frames.

    kind       value, limit                                              repair
    turns      fastest turn, degrees in a quarter of a second            slow_down
    travels    fastest travel, share of D in a quarter of a second       slow_down
    near       smallest distance to a surface, scene units               lift, else shorten
    through    how far behind the surface that the photo shows, limit 0  lift, else shorten
    out        smallest share of a frame in the photo                    turn_back
    invented   smallest share of a frame that is backed                  keep_honest
    torn       largest share of a frame that opens, see `Outlook`        keep_honest
    lens       the worst field of view across the width, degrees         fit_lens
    unreached  distance of the last camera from the last key             none: sample the path again
    """

    kind: str
    frames: tuple[int, int]  # first and last
    value: float
    limit: float
    repair: str | None

    def to_dict(self) -> dict:
        """The fields as plain JSON."""
        return {**asdict(self), "frames": list(self.frames)}


def check_path(
    trajectory: Trajectory,
    distance: float,
    depth: np.ndarray | None = None,
    camera: Camera | None = None,
    outlook: Outlook | None = None,
    path: Path | None = None,
) -> list[Finding]:
    """Everything that is wrong with the cameras of a clip, in the order of the table in `Finding`.

    distance: depth D of the subject. depth (H, W) z-depth of the photo in scene units, 0 = unknown, and its camera of
    the same size: without them surfaces are not looked at. outlook: of these frames; without it `out`, `invented` and
    `torn` are not looked for. path: what the trajectory was made of, for `unreached`. Raises ValueError for arrays of
    the wrong shape.
    """
    distance = checked_distance(distance)
    findings = []

    (degrees, travel), reach = steps(trajectory), quarter_second(trajectory.fps)
    for kind, values, limit in (("turns", degrees, TURN_DEGREES), ("travels", travel / distance, TRAVEL)):
        for first, last in _runs(values > limit * SLACK, reach):
            findings.append(Finding(kind, (first, last), _most(values, first, last - reach), limit, "slow_down"))

    if depth is not None and camera is not None:
        findings += surfaces(trajectory, distance, np.asarray(depth), camera)

    if outlook is not None:
        findings += shown(outlook, len(trajectory))

    lens = fov(trajectory.K[:, 0, 0] / trajectory.width)
    low, high = lens_limits(lens[0])
    for first, last in _runs(lens < low - 1e-9):
        findings.append(Finding("lens", (first, last), _least(lens, first, last), low, "fit_lens"))
    for first, last in _runs(lens > high + 1e-9):
        findings.append(Finding("lens", (first, last), _most(lens, first, last), high, "fit_lens"))

    if path is not None:
        goal = path.sample(np.array([path.duration])).c2w[0]
        apart = float(np.abs(trajectory.with_return().c2w[-1] - goal).max())
        if apart > REACHED:
            last = len(trajectory) - 1
            findings.append(Finding("unreached", (last, last), apart, REACHED, None))
    return findings


def shown(outlook: Outlook, frames: int) -> list[Finding]:
    """Where a path shows too little of the photo, or opens too much between its surfaces: `out`, `invented`, `torn`."""
    for name, values in vars(outlook).items():
        if values.shape != (frames,):
            raise ValueError(f"{name} has shape {values.shape}, must be ({frames},): one per frame.")
    coverage, torn = outlook.coverage, outlook.torn
    out, invented = _runs(coverage < SEEN), _runs((coverage < BACKED) & (coverage >= SEEN))
    return [
        *(Finding("out", run, _least(coverage, *run), SEEN, "turn_back") for run in out),
        *(Finding("invented", run, _least(coverage, *run), BACKED, "keep_honest") for run in invented),
        *(Finding("torn", run, _most(torn, *run), TORN, "keep_honest") for run in _runs(torn > TORN)),
    ]


def lens_limits(photo: float) -> tuple[float, float]:
    """photo: field of view of the photo across the width, degrees -> the narrowest and the widest that look right. The
    lens that the photo was taken with is never wrong."""
    low, high = FOV_DEGREES
    return min(low, float(photo)), max(high, float(photo))


def surfaces(trajectory: Trajectory, distance: float, depth: np.ndarray, camera: Camera) -> list[Finding]:
    """Where the cameras come too near to what the photo shows, or stand behind it: `near` and `through`."""
    if depth.shape != (camera.height, camera.width):
        raise ValueError(
            f"depth has shape {depth.shape}, must be that of its camera, ({camera.height}, {camera.width}). "
            "Use camera.resized(*depth.shape)."
        )
    positions = trajectory.c2w[:, :3, 3]
    points = _surface_points(depth, camera)
    if not len(points):
        return []
    behind, clearance = _behind(positions, depth, camera), _clearance(positions, points)
    limit = min(CLEARANCE * distance, clearance[0] / 2)  # where the photo was taken is never too near
    higher = positions - [0, HIGHER * distance, 0]
    free_above = (_behind(higher, depth, camera) <= 0) & (_clearance(higher, points) >= limit)

    def repair(first: int, last: int) -> str:
        return "lift" if free_above[first : last + 1].all() else "shorten"

    through = behind > 0
    near = ~through & (clearance < limit)
    findings = [
        Finding("near", (first, last), _least(clearance, first, last), float(limit), repair(first, last))
        for first, last in _runs(near)
    ]
    return findings + [
        Finding("through", (first, last), _most(behind, first, last), 0.0, repair(first, last))
        for first, last in _runs(through)
    ]


def _surface_points(depth: np.ndarray, camera: Camera) -> np.ndarray:
    """(N, 3) at most some thousand points of the photo's surfaces, evenly spread over the picture."""
    stride = max(1, int(np.ceil(np.sqrt(depth.size / SURFACE_POINTS))))
    pixels, z = pixel_centers(*depth.shape)[::stride, ::stride], depth[::stride, ::stride]
    known = np.isfinite(z) & (z > 0)
    return unproject(pixels[known], z[known], camera)


def _clearance(positions: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(T, 3), (N, 3) -> (T,) distance to the nearest point."""
    squares = (positions**2).sum(1)[:, None] + (points**2).sum(1) - 2 * positions @ points.T
    return np.sqrt(np.maximum(squares.min(1), 0))


def _behind(positions: np.ndarray, depth: np.ndarray, camera: Camera) -> np.ndarray:
    """(T, 3) -> (T,) how far a place lies behind the surface that the photo shows there; 0 in front and where the photo
    shows nothing. Scene units along the photo's axis."""
    pixels, z = project(positions, camera)
    inside = (z > 0) & (np.nan_to_num(pixels, nan=-1) >= 0).all(-1)
    inside &= (np.nan_to_num(pixels, nan=np.inf) < [camera.width, camera.height]).all(-1)
    column, row = np.where(inside[:, None], pixels, 0).astype(int).T
    surface = depth[row, column]
    known = inside & np.isfinite(surface) & (surface > 0)
    return np.where(known, np.maximum(z - np.where(known, surface, 0), 0), 0.0)


def _runs(bad: np.ndarray, reach: int = 0) -> list[tuple[int, int]]:
    """First and last frame of every run of True; a True at i stands for the frames i .. i + reach."""
    frames = np.zeros(len(bad) + reach, bool)
    for i in np.flatnonzero(bad):
        frames[i : i + reach + 1] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[0], frames.astype(np.int8), [0]])))
    return [(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]


def _least(values: np.ndarray, first: int, last: int) -> float:
    return float(values[first : last + 1].min())


def _most(values: np.ndarray, first: int, last: int) -> float:
    return float(values[first : last + 1].max())
