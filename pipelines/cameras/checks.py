"""What is wrong with a camera path before it is rendered, and how to mend it. numpy only; docs/path.md has the limits.

`check_path` looks at the cameras that would render and gives findings: machine names and numbers, the page has the
words. Every finding names its repair, a pure function Path -> Path of `REPAIRS`; `repaired` calls them by name.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace

import numpy as np

from pipelines.cameras.camera import Camera
from pipelines.cameras.moves import CAP_DEGREES, CAP_TRAVEL, checked_distance, shortened
from pipelines.cameras.path import KEYS, SECONDS, Key, Path, focal, fov
from pipelines.cameras.projection import pixel_centers, project, unproject
from pipelines.cameras.rotations import degrees_between, quaternion, rotation
from pipelines.cameras.trajectory import Trajectory

SLACK = 1.02  # a move at the very cap stays inside it when it is opened as keys
CLEARANCE = 0.15  # of D: nearer to a surface its tokens are blown up to a blur
HIGHER = 0.25  # of D: how far up is tried before a path is called liftable
BACKED = 0.8  # share of a frame that the memory must show
SEEN = 0.25  # below this the camera looks out of the photo
LENS = (15.0, 100.0)  # degrees across the width
REACHED = 1e-6
SURFACE_POINTS = 4000
BISECTIONS = 6  # strength to 1/64

CoverageOf = Callable[[Trajectory], np.ndarray]  # the share of every frame that is backed, (T,) 0..1


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong with a path, over a run of frames.

    kind       value, limit                                              repair
    turns      fastest turn, degrees per 4 frames                        slow_down
    travels    fastest travel, share of D per 4 frames                   slow_down
    near       smallest distance to a surface, scene units               lift, else shorten
    through    how far behind the surface that the photo shows, limit 0  lift, else shorten
    out        smallest share of a frame in the photo                    turn_back
    invented   smallest share of a frame that is backed                  keep_honest
    lens       the worst field of view across the width, degrees         fit_lens
    unreached  distance of the last camera from the last key             none: sample the path again
    """

    kind: str
    frames: tuple[int, int]  # first and last
    value: float
    limit: float
    repair: str | None

    def to_dict(self) -> dict:
        return {**asdict(self), "frames": list(self.frames)}


def check_path(
    trajectory: Trajectory,
    distance: float,
    depth: np.ndarray | None = None,
    camera: Camera | None = None,
    coverage: np.ndarray | None = None,
    path: Path | None = None,
) -> list[Finding]:
    """Everything that is wrong with the cameras of a clip, in the order of the table in `Finding`.

    distance: depth D of the subject. depth (H, W) z-depth of the photo in scene units, 0 = unknown, and its camera of
    the same size: without them surfaces are not looked at. coverage (T,) 0..1 as `MiragePipeline.coverage` gives it.
    path: what the trajectory was made of, for `unreached`. Raises ValueError for arrays of the wrong shape.
    """
    distance = checked_distance(distance)
    findings = []

    four = _steps(trajectory)
    for kind, values, limit in (("turns", four[0], CAP_DEGREES), ("travels", four[1] / distance, CAP_TRAVEL)):
        for first, last in _runs(values > limit * SLACK, reach=4):
            findings.append(Finding(kind, (first, last), _most(values, first, last - 4), limit, "slow_down"))

    if depth is not None and camera is not None:
        findings += _surfaces(trajectory, distance, np.asarray(depth), camera)

    if coverage is not None:
        coverage = np.asarray(coverage, dtype=np.float64)
        if coverage.shape != (len(trajectory),):
            raise ValueError(f"coverage has shape {coverage.shape}, must be ({len(trajectory)},): one per frame.")
        for first, last in _runs(coverage < SEEN):
            findings.append(Finding("out", (first, last), _least(coverage, first, last), SEEN, "turn_back"))
        for first, last in _runs((coverage < BACKED) & (coverage >= SEEN)):
            findings.append(Finding("invented", (first, last), _least(coverage, first, last), BACKED, "keep_honest"))

    lens = fov(trajectory.K[:, 0, 0] / trajectory.width)
    low, high = _lens_limits(lens[0])
    for first, last in _runs(lens < low - 1e-9):
        findings.append(Finding("lens", (first, last), _least(lens, first, last), low, "fit_lens"))
    for first, last in _runs(lens > high + 1e-9):
        findings.append(Finding("lens", (first, last), _most(lens, first, last), high, "fit_lens"))

    if path is not None:
        goal = path.sample(np.array([path.duration])).c2w[0]
        apart = float(np.abs(trajectory.c2w[-1] - goal).max())
        if apart > REACHED:
            last = len(trajectory) - 1
            findings.append(Finding("unreached", (last, last), apart, REACHED, None))
    return findings


def _lens_limits(photo: float) -> tuple[float, float]:
    """Degrees. The lens that the photo was taken with is never wrong."""
    return min(LENS[0], float(photo)), max(LENS[1], float(photo))


def _steps(trajectory: Trajectory) -> tuple[np.ndarray, np.ndarray]:
    """(T - 4,) degrees and (T - 4,) scene units from every frame to the fourth after it: one step of the latents."""
    before, after = trajectory.c2w[:-4], trajectory.c2w[4:]
    travel = np.linalg.norm(after[:, :3, 3] - before[:, :3, 3], axis=-1)
    return degrees_between(before[:, :3, :3], after[:, :3, :3]), travel


def _surfaces(trajectory: Trajectory, distance: float, depth: np.ndarray, camera: Camera) -> list[Finding]:
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
    """First and last frame of every run of True; a True at i speaks of the frames i .. i + reach."""
    frames = np.zeros(len(bad) + reach, bool)
    for i in np.flatnonzero(bad):
        frames[i : i + reach + 1] = True
    edges = np.flatnonzero(np.diff(np.concatenate([[0], frames.astype(np.int8), [0]])))
    return [(int(first), int(end) - 1) for first, end in edges.reshape(-1, 2)]


def _least(values: np.ndarray, first: int, last: int) -> float:
    return float(values[first : last + 1].min())


def _most(values: np.ndarray, first: int, last: int) -> float:
    return float(values[first : last + 1].max())


# ---- repairs -----------------------------------------------------------------------------------------------------


def slow_down(path: Path, distance: float, fps: int | float = 16) -> Path:
    """The same way in more time, until no 4 frames turn or travel too far; at most in 60 s."""
    for _ in range(8):  # a clip has whole frames, so one factor is not always enough
        degrees, travel = _steps(path.trajectory(9, 16, fps))
        excess = max(degrees.max(initial=0) / CAP_DEGREES, travel.max(initial=0) / (CAP_TRAVEL * distance)) / SLACK
        if excess <= 1 or path.duration >= SECONDS[1]:
            break
        path = path.retimed(min(path.duration * max(excess, 1 + 2 / (fps * path.duration)), SECONDS[1]))
    return path


def shorten(path: Path, is_fine: Callable[[Path], bool]) -> Path:
    """The path with all its motion weaker, as strong as `is_fine` allows."""
    return _strongest(lambda factor: weaker(path, factor), is_fine)


def lift(path: Path, distance: float, is_fine: Callable[[Path], bool]) -> Path:
    """The path higher up, as little as `is_fine` allows; where height does not help within half of D, shorter.

    The photo's camera, first and in a loop last, stays where it is.
    """
    last = len(path.keys) - 1 if path.closed else len(path.keys)

    def lifted(height: float) -> Path:
        keys = [
            replace(key, position=(key.position[0], key.position[1] - height, key.position[2])) if 0 < i < last else key
            for i, key in enumerate(path.keys)
        ]
        return replace(path, keys=tuple(keys))

    for height in np.linspace(0, 0.5 * distance, 21).tolist():
        if is_fine(candidate := lifted(height)):
            return candidate
    return shorten(path, is_fine)


def turn_back(
    path: Path, coverage_of: CoverageOf, least: float = BACKED, height: int = 288, width: int = 512, fps: float = 16
) -> Path:
    """The same way with the camera turned less away from the photo's heading, as far as every frame stays backed by
    `least`; where turning is not enough, `keep_honest`."""
    if path.target is not None:
        path = path.aimed(path.target)

    def turned(factor: float) -> Path:
        heading = weaker(path, factor)
        keys = [
            replace(key, orientation=turn.orientation, roll=turn.roll)
            for key, turn in zip(path.keys, heading.keys, strict=True)
        ]
        return replace(path, keys=tuple(keys))

    def is_fine(path: Path) -> bool:
        return bool((coverage_of(path.trajectory(height, width, fps)) >= least).all())

    if _turns(path).max() >= 179 or not is_fine(turned(0)):
        return keep_honest(path, coverage_of, least, height, width, fps)
    return _strongest(turned, is_fine)


def keep_honest(
    path: Path, coverage_of: CoverageOf, least: float = BACKED, height: int = 288, width: int = 512, fps: float = 16
) -> Path:
    """The path as strong as it can be with at least `least` of every frame backed by the memory.

    Weaker means less travel, turn and lens change in the same time, as `moves.shortened`; a path that turns right
    round is cut short first. 7 calls of coverage_of, 15 when the path's target lies outside the photo.
    """

    def is_fine(path: Path) -> bool:
        return bool((coverage_of(path.trajectory(height, width, fps)) >= least).all())

    found = _strongest(lambda factor: weaker(path, factor), is_fine)
    if path.target is not None and not is_fine(found):  # it is the aim that leaves the photo
        aimed = path.aimed(path.target)
        found = _strongest(lambda factor: weaker(aimed, factor), is_fine)
    return found


def fit_lens(path: Path) -> Path:
    """Fields of view inside 15..100 degrees, or the photo's own. Between keys the lens stays between theirs."""
    low, high = _lens_limits(path.keys[0].fov)
    return replace(path, keys=tuple(replace(key, fov=min(max(key.fov, low), high)) for key in path.keys))


REPAIRS = ("slow_down", "shorten", "lift", "turn_back", "keep_honest", "fit_lens")


def repaired(
    path: Path,
    repair: str,
    camera: Camera,
    distance: float,
    depth: np.ndarray | None = None,
    coverage_of: CoverageOf | None = None,
    fps: int | float = 16,
) -> Path:
    """The path after one of REPAIRS by name, which makes the findings that name it go away.

    camera: the photo's, whose size the clip has; depth (H, W) of that size. Raises ValueError for an unknown name, and
    for `turn_back` and `keep_honest` without coverage_of.
    """
    height, width = camera.height, camera.width

    def keeps_clear(path: Path) -> bool:
        clip = path.trajectory(height, width, fps)
        return depth is None or not _surfaces(clip, distance, np.asarray(depth), camera)

    if repair not in REPAIRS:
        raise ValueError(f"Unknown repair {repair!r:.40}. Choose from {', '.join(REPAIRS)}.")
    if repair in ("turn_back", "keep_honest"):
        if coverage_of is None:
            raise ValueError(f"The repair {repair} needs the coverage of paths. Lift the photo first.")
        return (turn_back if repair == "turn_back" else keep_honest)(path, coverage_of, BACKED, height, width, fps)
    if repair == "slow_down":
        return slow_down(path, distance, fps)
    if repair == "shorten":
        return shorten(path, keeps_clear)
    if repair == "lift":
        return lift(path, distance, keeps_clear)
    return fit_lens(path)


def weaker(path: Path, factor: float) -> Path:
    """The path with its motion scaled, 0 stands still at key 0: `moves.shortened` applied to the keys.

    The spline follows its keys, so every camera between them is scaled too. Where keys turn by 179 degrees or more from
    key 0, the way back to it is not unique; such a path is cut before the first of them, then scaled.
    """
    if factor == 1:
        return path
    while len(far := np.flatnonzero(_turns(path) >= 179)) and path.duration > SECONDS[0]:
        before = path.keys[far[0] - 1].time
        path = cut(path, max(before if before else path.keys[far[0]].time / 2, SECONDS[0]))
    first = path.keys[0]
    c2w = np.tile(np.eye(4), (len(path.keys), 1, 1))
    c2w[:, :3, :3] = rotation(np.array([key.orientation for key in path.keys]))
    c2w[:, :3, 3] = path.positions
    K = np.tile(np.eye(3), (len(path.keys), 1, 1))
    K[:, 0, 0] = K[:, 1, 1] = [focal(key.fov) for key in path.keys]
    scaled = shortened(Trajectory(c2w, K, 1, 1), factor)
    turns, fovs = quaternion(scaled.c2w[:, :3, :3]), fov(scaled.K[:, 0, 0])
    keys = [
        replace(
            key,
            position=tuple(scaled.c2w[i, :3, 3].tolist()),
            orientation=tuple(turns[i].tolist()),
            roll=first.roll + factor * (key.roll - first.roll),
            fov=key.fov if key.fov == first.fov else float(fovs[i]),  # a log and back costs a bit
        )
        for i, key in enumerate(path.keys)
    ]
    keys[0] = first
    if path.closed:
        keys[-1] = replace(first, time=path.duration)
    return replace(path, keys=tuple(keys))


def cut(path: Path, seconds: float) -> Path:
    """The path until `seconds`, with a last key there; a closed one is open then."""
    if seconds >= path.duration:
        return path
    kept = [key for key in path.keys if key.time < seconds - 1e-3] or [path.keys[0]]
    views = replace(path, keys=tuple(replace(key, roll=0.0) for key in path.keys)).sample(np.array([seconds]))
    rolls = np.interp(seconds, path.times, [key.roll for key in path.keys])
    q = tuple(quaternion(views.c2w[0, :3, :3]).tolist())
    last = Key(seconds, tuple(views.c2w[0, :3, 3].tolist()), q, float(rolls), float(views.fov[0]))
    return replace(path, keys=(*kept[: KEYS[1] - 1], last), closed=False)


def _turns(path: Path) -> np.ndarray:
    """(n,) degrees from key 0 to every key."""
    turns = rotation(np.array([key.orientation for key in path.keys]))
    return degrees_between(turns, turns[0])


def _strongest(make: Callable[[float], Path], is_fine: Callable[[Path], bool]) -> Path:
    """make(factor) for the largest factor 0..1 that is fine, to 1/64; make(0) if none is."""
    if is_fine(whole := make(1.0)):
        return whole
    low, high = 0.0, 1.0
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if is_fine(make(middle)) else (low, middle)
    return make(low)
