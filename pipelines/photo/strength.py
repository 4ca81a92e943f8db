"""What decides the strength of a move, and how close a frame it wants: the limits of pipelines/limits.py on a photo."""

from collections.abc import Callable
from functools import partial

import numpy as np

from pipelines.cameras import Camera, Trajectory, project, unproject
from pipelines.errors import Refused
from pipelines.limits import BACKED, MIN_STRENGTH, ROOM_BACKED, SIDEWAYS, TORN
from pipelines.photo.lifted import Lifted
from pipelines.photo.outlook import look

CUT = 0.002  # of a product that was in the frame at first
CLEAR = 0.005  # of the long side: the distance to the rim at which a product begins to be cut
ROOM = 0.04  # of the long side: the margin that is left around a product where the frame shows more than the photo
PRODUCT_SAMPLES = 2000
FARTHER = (0.9, 0.8, 0.7, 0.6, 0.5)  # zooms of a frame that shows more than the photo
ZOOMS = (1.0, 1.1, 1.2)  # that a frame may be closer
STEP = 0.1  # of strength, from one that is tried to the next
FRAMES = 17  # of a path are judged


def objection(lifted: Lifted, trajectory: Trajectory, backed: float | None = None) -> str | None:
    """Why a path does not suit a photo; None where it does.

    "sideways": estimated depth does not let the camera step aside so far (SIDEWAYS). "backed": a frame shows less than
    `backed` of the photo; if None, BACKED for a frame that is the whole photo, ROOM_BACKED for a closer one. "torn":
    more than TORN of a frame opens between near and far surfaces. "cut": the frame cuts off more than CUT of a product
    before a plain backdrop.
    """
    if backed is None:
        backed = ROOM_BACKED if lifted.zoom > 1 else BACKED
    aside = np.linalg.norm(trajectory.c2w[:, :3, 3] @ lifted.camera.c2w[:3, :2], axis=1).max()
    if aside > SIDEWAYS * lifted.near:
        return "sideways"
    if is_cut(lifted, trajectory):
        return "cut"
    seen = look(lifted.memory, trajectory, lifted, FRAMES)
    if seen.coverage.min() < backed:
        return "backed"
    return "torn" if seen.torn.max() > TORN else None


def is_cut(lifted: Lifted, trajectory: Trajectory) -> bool:
    """Whether a camera of the path cuts off more than CUT of a product before a plain backdrop, of what the photo's
    whole frame shows of it; never without such a product."""
    if lifted.plate is None:
        return False
    rows, columns = np.nonzero(lifted.plate.backdrop.product & (lifted.photo_depth > 0))
    chosen = slice(None, None, max(1, len(rows) // PRODUCT_SAMPLES))
    rows, columns = rows[chosen], columns[chosen]
    points = unproject(np.stack([columns, rows], axis=-1) + 0.5, lifted.photo_depth[rows, columns], lifted.photo_camera)
    first = in_frame(points, lifted.camera.zoomed(min(1, 1 / lifted.zoom)), 2 * CLEAR)
    points = points[first]
    return len(points) > 0 and any(in_frame(points, camera, CLEAR).mean() < 1 - CUT for camera in trajectory)


def is_cropped(lifted: Lifted, clear: float = 0.0) -> bool:
    """Whether the format cuts off more than CUT of a product before a plain backdrop: what the photo shows of it, but
    not the largest frame, or one within that which is so much (`clear`, of the long side) smaller on every side where
    there is more of the photo. What the photo's own rim cuts off is not the format's doing."""
    if lifted.plate is None:
        return False
    product, margin = lifted.plate.backdrop.product, clear * max(lifted.camera.height, lifted.camera.width)
    inner = []
    for part, total in zip(lifted.frame, product.shape, strict=True):
        more = max(0, (part.stop - part.start) * (lifted.zoom - 1) / 2)  # of the largest frame
        first, last = part.start - more, part.stop + more
        inner.append(slice(max(0, round(first + margin * (first > 0))), round(last - margin * (last < total))))
    return product[tuple(inner)].sum() < (1 - CUT) * product.sum()


def in_frame(points: np.ndarray, camera: Camera, clear: float) -> np.ndarray:
    """(N, 3) points of the world -> (N,) bool: whether a camera sees them in its picture, `clear` of its long side away
    from the rim."""
    pixels, depth = project(points, camera)
    rim = clear * max(camera.width, camera.height)
    return (depth > 0) & (pixels >= rim).all(-1) & (pixels < [camera.width - rim, camera.height - rim]).all(-1)


def suits(lifted: Lifted, trajectory: Trajectory, backed: float | None = None) -> bool:
    """Whether a path stays within the limits on a photo: see `objection`."""
    return objection(lifted, trajectory, backed) is None


def gentle_strength(
    lifted: Lifted, path: Callable[[float], Trajectory], backed: float | None = None, at_most: float = 1.0
) -> float:
    """The largest strength of a move, at most `at_most`, that suits a photo; MIN_STRENGTH if none does.

    path: strength -> the trajectory of that strength. backed: see `objection`. Looked for in steps of a tenth.
    """
    for strength in strengths(at_most):
        if suits(lifted, path(strength), backed):
            return strength
    return min(MIN_STRENGTH, at_most)


def suited(lift: Callable[[float], Lifted], path: Callable[[Lifted, float], Trajectory]) -> tuple[Lifted, float]:
    """The photo lifted as close as a move needs to show hardly anything else, and the strength that suits the two.

    A camera that steps aside sees beyond the photo, unless its frame is a little closer and leaves room for that.
    lift: zoom -> `Lifted`; path: of a lifted photo and a strength. Of ZOOMS it is the smallest that allows as much
    strength as the largest does; 1 for moves that see nothing new, such as a push-in, and for a product before a plain
    backdrop, which goes on beyond the photo. Where the format would cut such a product, and the photo goes on, it is
    the largest of FARTHER that shows all of it.
    """
    whole = lift(1.0)
    if whole.plate is not None:
        whole = uncropped(lift, whole)
        return whole, gentle_strength(whole, partial(path, whole))

    def suits_at(zoom: float, strength: float) -> bool:
        return suits(whole, path(whole, strength).zoomed(zoom), ROOM_BACKED)

    strongest = next((strength for strength in strengths() if suits_at(ZOOMS[-1], strength)), MIN_STRENGTH)
    zoom = next((zoom for zoom in ZOOMS if suits_at(zoom, strongest)), ZOOMS[-1])
    if zoom == 1:
        return whole, strongest
    lifted = lift(zoom)  # its subject may be another one, and with it the scale of the move
    return lifted, gentle_strength(lifted, partial(path, lifted), ROOM_BACKED)


def uncropped(lift: Callable[[float], Lifted], whole: Lifted) -> Lifted:
    """A product lifted as far away as it takes to show all of it; `whole` where it is so, or cannot be."""
    if not is_cropped(whole):
        return whole
    for zoom in FARTHER:
        try:
            farther = lift(zoom)
        except Refused:  # the photo does not go on there
            return whole
        if not is_cropped(farther, ROOM):
            return farther
    return whole


def strengths(at_most: float = 1.0) -> list[float]:
    """Those that are tried, the largest first: at_most, then in steps of a tenth down to above MIN_STRENGTH."""
    tenths = [tenth / 10 for tenth in range(20, 0, -1)]
    return [s for s in (at_most, *(tenth for tenth in tenths if tenth < at_most)) if s > MIN_STRENGTH]
