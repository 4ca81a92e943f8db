"""How a photo becomes a place: its frame is chosen, its depth measured, its tokens written into a memory."""

import numpy as np
import torch
from PIL import Image

from pipelines.cameras import Camera
from pipelines.depth import DepthEstimator
from pipelines.depth.edges import grow_near
from pipelines.engines.base import Engine
from pipelines.errors import Refused
from pipelines.events import timed
from pipelines.memory import LatentMemory
from pipelines.memory.surfaces import settle
from pipelines.photo.backdrop import Backdrop, extended, find_backdrop
from pipelines.photo.frame import DEFAULT_FOV, Framed, check_focus, check_zoom, frame_camera, framed
from pipelines.photo.lifted import Lifted, near_depth, photo_sha256, subject_distance
from pipelines.photo.measured import FINER, given_depth, measure
from pipelines.photo.plate import Plate

# How far colours of near things reach over an outline, as a share of the long side; estimated depth adds its own error.
OUTLINE, ESTIMATED_OUTLINE = 1 / 480, 1 / 150

FLAT_RIM = 0.98  # of a side of the photo that has the backdrop's colour, so that it can go on there


@torch.no_grad()
def lift_photo(
    engine: Engine,
    source: Image.Image,
    height: int,
    width: int,
    camera: Camera | None,
    depth: np.ndarray | None,
    memory: LatentMemory | None,
    fov_degrees: float = DEFAULT_FOV,
    focus: float = 0.5,
    zoom: float = 1.0,
    *,
    estimator: DepthEstimator,
    like: Lifted | None,
    seconds: dict[str, float],
) -> Lifted:
    """An RGB photo as a place, for a clip of (height, width) pixels; see `MiragePipeline.lift`."""
    facts, sha256 = engine.facts, photo_sha256(source)
    if like is not None and like.sha256 != sha256:
        raise Refused("The depth of another photo does not fit this one. Lift it without `like`.")

    # 1. The frame, what is kept around it, and the camera that sees it.
    part = framed(source, height, width, check_focus(focus), check_zoom(zoom), facts.stride)
    if camera is None:
        camera = frame_camera(source.size, height, width, fov_degrees=fov_degrees, zoom=zoom)
    camera = camera.resized(height, width)
    frame_rows, frame_columns = part.frame
    photo_K = camera.shifted(frame_columns.start, frame_rows.start).K
    kept_size = (rows.stop - rows.start + sum(more) for rows, more in zip(part.kept, part.more, strict=True))
    photo_camera = Camera(photo_K, camera.c2w, *kept_size)

    own_backdrop = None  # of the photo at this scale
    if zoom < 1:
        own_backdrop = find_backdrop(part.pixels, part.alpha)
        check_goes_on(own_backdrop, part, zoom)

    # 2. Depth of all of the photo, and of what is kept.
    with timed(seconds, "depth"):
        if depth is not None:
            measured = given_depth(depth, part.pixels, part.alpha)
        else:
            # A frame that is a little closer takes over the depth of the largest one, whatever was lifted before
            largest = part if zoom == 1 or zoom > FINER else framed(source, height, width, focus, 1.0, facts.stride)
            seen = camera if largest is part else camera.zoomed(1 / zoom)
            K = seen.shifted(largest.left, largest.top).K
            measured = measure(largest.pixels, K, estimator, like and like.measured, largest.alpha)
        depth, valid = (extended(x[part.kept], part.more) for x in measured.on_grid(*part.pixels.shape[:2]))
        if not valid[part.frame].any():
            raise Refused("No depth could be found in this photo: every pixel is unknown. Give a depth map.")
        backdrop = own_backdrop or measured.backdrop
        if backdrop is not None and backdrop.product.shape != part.pixels.shape[:2]:
            backdrop = find_backdrop(part.pixels, part.alpha)
        photo = extended(part.pixels[part.kept], part.more, None if backdrop is None else backdrop.colour)
        # the outline of a product before a plain backdrop is that of its colours
        is_estimated = measured.estimator is not None and backdrop is None
        outline = max(height, width) * (ESTIMATED_OUTLINE if is_estimated else OUTLINE)
        depth = settle(grow_near(depth, valid, int(outline)), valid)

    plate = backdrop and Plate.of(photo, depth, valid, photo_camera, backdrop[part.kept].extended(part.more))

    # 3. Tokens, written into the memory.
    with timed(seconds, "encode"):
        tokens = engine.encode(torch.from_numpy(photo).permute(2, 0, 1).float() / 255)
    with timed(seconds, "memory_write"):
        new = LatentMemory(facts.channels, facts.interpolates, codec=facts.codec)
        memory = new if memory is None else memory.copy()
        middle = slice(facts.depth_stride // 2, None, facts.depth_stride)  # of a cell: no average across edges
        report = memory.write(tokens, depth[middle, middle], photo_camera, valid[middle, middle])
    return Lifted(
        source=source,
        sha256=sha256,
        measured=measured,
        photo=photo,
        photo_depth=depth,
        photo_camera=photo_camera,
        frame=part.frame,
        camera=camera,
        memory=memory,
        view=len(memory.views) - 1 if report.new or report.replaced else None,
        distance=subject_distance(depth[part.frame], valid[part.frame]),
        near=near_depth(depth[part.frame], valid[part.frame]),
        focus=focus,
        zoom=zoom,
        plate=plate,
    )


def check_goes_on(backdrop: Backdrop | None, part: Framed, zoom: float) -> None:
    """Raises Refused for a frame that shows more than a photo whose rim there is not the one colour of a backdrop."""
    if not goes_on(backdrop, part.more):
        raise Refused(
            "zoom={zoom!r} shows more than the photo, which goes on only where its rim is a backdrop of one colour. "
            "Use 1.",
            zoom=zoom,
        )


def goes_on(backdrop: Backdrop | None, more: tuple[tuple[int, int], tuple[int, int]]) -> bool:
    """Whether a photo can go on beyond its rim on the sides on which there is more than nothing: see `Framed.more`."""
    (above, below), (left, right) = more
    if not (above or below or left or right):
        return True
    if backdrop is None or backdrop.flat is None:
        return False
    sides = (above, (0,)), (below, (-1,)), (left, (slice(None), 0)), (right, (slice(None), -1))
    return all(backdrop.flat[rim].mean() >= FLAT_RIM for length, rim in sides if length)
