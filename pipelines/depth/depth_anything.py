"""Depth Anything V2 (Yang et al., NeurIPS 2024, arXiv 2406.09414), Small: 25 million weights, 99 MB from the Hub, once.

`depth-anything` sees relative depth: inverse depth up to a scale and a shift. No picture tells these two numbers, and
without them a room is bent: the shift decides how many times farther the wall is than the table. They are taken from
the network that ships with the project (`to_inverse_depth`), so shapes and outlines are Depth Anything's, and how many
times farther far is than near is the small network's judgement, with its errors. `align_depth`, which brings new frames
to the memory's scale, is no help here: it wants half of the pixels to agree within 10 %, and refused two of three
frames. Figures: docs/depth.md. `depth-anything-metric-indoor` and
`-outdoor` answer in metres and need nothing; they were trained on rooms up to 20 m and streets up to 80 m.

Pictures are prepared here rather than by transformers' processor, which wants torchvision.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from pipelines.depth.edges import align, connected
from pipelines.depth.refine import SKY_FACTOR, reach
from pipelines.errors import Refused
from pipelines.pictures import check_picture
from pipelines.weights.cache import COMMIT, SHA256
from pipelines.weights.hub import local_folder
from pipelines.weights.pins import DEPTH_CHECKPOINTS, DepthCheckpoint

RELATIVE = "depth-anything"
FILES = ("config.json", "model.safetensors")

# The network's input: the side that needs the least change becomes this long, as in training; colours are ImageNet's.
SIDE = 518
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
REFERENCE_SIDE = 256  # long side of the picture that the reference looks at: two numbers need no more
SKY_SHARE = 0.1  # the sky's relative inverse depth is at most this share of what is near; training gave it 0
RANGE = (0.05, 0.95)  # quantiles that stand for far and near
FLAT = 1e-3  # an answer whose range is a smaller share than this of what is near does not vary
FARTHEST = 100.0  # times the median depth

# image (H, W, 3) uint8 -> z-depth (H, W) float32, is_sky (H, W) bool
Reference = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


class DepthAnything:
    """A DepthEstimator. Relative weights give depth with median 1 outside the sky, metric ones metres. Deterministic.

    model: a DepthAnythingForDepthEstimation; its config says whether it is metric. reference: what relative depth is
    brought to scale with; None: the embedded network. weights: what is in use, for the licence card.
    """

    def __init__(
        self, model: torch.nn.Module, reference: Reference | None = None, weights: tuple[dict[str, Any], ...] = ()
    ):
        self.model, self.weights = model.eval(), weights
        self.is_metric = model.config.depth_estimation_type == "metric"
        if reference is None and not self.is_metric:
            from pipelines.depth.embedded import EmbeddedDepth

            reference = EmbeddedDepth.from_pretrained().with_sky
        self.reference = reference

    @classmethod
    def from_pretrained(
        cls,
        name: str | Path = RELATIVE,
        revision: str | None = None,
        reference: Reference | None = None,
        device: str = "cpu",
        **options,
    ) -> "DepthAnything":
        """Load one of DEPTH_CHECKPOINTS by its name, a folder or a repository; options: as HUB_OPTIONS names them.

        A named checkpoint has a fixed revision, another repository the one that was fetched first; the card records
        the commit. Raises Refused or OSError where the weights are damaged or cannot be fetched.
        """
        from safetensors import SafetensorError
        from transformers import DepthAnythingForDepthEstimation
        from transformers.utils import logging

        known = DEPTH_CHECKPOINTS.get(str(name))
        place = known.repository if known else name
        if revision or known:
            options["revision"] = revision or known.revision
            if is_cached(place, options["revision"], options.get("cache_dir")):
                options["local_files_only"] = True  # a fixed revision does not change: nothing to look up
        folder = local_folder(place, **options)
        bar = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()  # 99 MB in a blink; the download has shown its own
        try:
            model, report = DepthAnythingForDepthEstimation.from_pretrained(
                folder, use_safetensors=True, output_loading_info=True
            )
        except (SafetensorError, OSError, ValueError, KeyError) as error:
            raise Refused(
                "The depth weights in {folder} cannot be read ({error}). Fetch them again.",
                folder=folder,
                error=one_line(error),
            ) from error
        finally:
            if bar:
                logging.enable_progress_bar()
        wrong = sorted(map(str, {*report["missing_keys"], *report["mismatched_keys"]}))
        if wrong:  # transformers would go on with random numbers
            raise Refused(
                "The depth weights in {folder} lack {count} tensors, among them {first}. Fetch them again.",
                folder=folder,
                count=len(wrong),
                first=wrong[0],
            )
        return cls(model.to(device), reference, (described(str(place), folder, known),))

    def __call__(self, image: np.ndarray, K: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
        """image (H, W, 3) uint8 -> z-depth (H, W) float32, valid (H, W) bool: all of it. Sky is valid and far.

        K is not needed: both networks read the lens from the picture, the metric ones as that of their training.
        """
        check_picture(image)
        answer = self.predict(image)
        if self.is_metric:
            farthest = float(self.model.config.max_depth)
            inverse = answer.clamp(min=1e-3 * farthest).reciprocal()
        else:
            small = resized_photo(image, REFERENCE_SIDE)
            reference, sky = (torch.from_numpy(np.ascontiguousarray(part)) for part in self.reference(small))
            inverse = to_inverse_depth(answer, reference, sky)
        depth = at_photo_size(inverse, image).reciprocal().numpy()
        return depth, np.ones(depth.shape, bool)

    def to(self, device: str | torch.device) -> "DepthAnything":
        self.model.to(device)
        return self

    @torch.inference_mode()
    def predict(self, image: np.ndarray) -> Tensor:
        """What the network says, (h, w) float32 on the CPU: relative inverse depth >= 0, or metres."""
        pixels = prepared(image, self.model.config.patch_size).to(self.model.device, self.model.dtype)
        return self.model(pixel_values=pixels).predicted_depth[0].float().cpu()


def is_cached(repository: str | Path, revision: str, cache_dir: str | Path | None = None) -> bool:
    """Whether all of a commit is here already; a branch may have moved on, so it never is."""
    from huggingface_hub import try_to_load_from_cache

    if Path(repository).is_dir() or not COMMIT.fullmatch(revision):
        return False
    files = (try_to_load_from_cache(str(repository), file, cache_dir, revision) for file in FILES)
    return all(isinstance(file, str) for file in files)


def one_line(error: Exception) -> str:
    return str(error).strip().split("\n")[0].rstrip(".")


def described(name: str, folder: Path, known: DepthCheckpoint | None) -> dict[str, Any]:
    """The licence card's entry: name, revision and sha256 where the Hub's cache tells them, licence."""
    card: dict[str, Any] = {"name": name}
    if COMMIT.fullmatch(folder.name):
        card["revision"] = folder.name
    if SHA256.fullmatch(digest := (folder / FILES[1]).resolve().name):
        card["sha256"] = digest
    licence = (known.licence, known.commercial_use) if known else ("unknown", "unknown")
    return card | dict(zip(("licence", "commercial_use"), licence, strict=True))


# ---- the network's input ----------------------------------------------------------------------------------------


def input_size(height: int, width: int, patch: int = 14) -> tuple[int, int]:
    """Sides in whole patches, of about the photo's shape: the side nearer to SIDE becomes SIDE."""
    scale = min(SIDE / height, SIDE / width, key=lambda scale: abs(1 - scale))
    return tuple(max(1, round(scale * side / patch)) * patch for side in (height, width))


def prepared(image: np.ndarray, patch: int = 14) -> Tensor:
    """image (H, W, 3) uint8 -> (1, 3, h, w) as the network wants it."""
    photo = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float() / 255
    size = input_size(*image.shape[:2], patch)
    photo = F.interpolate(photo, size, mode="bicubic", antialias=True, align_corners=False).clamp(0, 1)
    return (photo - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


def resized_photo(image: np.ndarray, long_side: int) -> np.ndarray:
    """image (H, W, 3) uint8, made so small that its long side has at most `long_side` pixels."""
    height, width = image.shape[:2]
    ratio = min(1.0, long_side / max(height, width))
    photo = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1)[None].float()
    size = max(1, round(height * ratio)), max(1, round(width * ratio))
    photo = F.interpolate(photo, size, mode="bilinear", antialias=True, align_corners=False)
    return photo[0].permute(1, 2, 0).round().to(torch.uint8).numpy()


# ---- from the network's answer to depth -------------------------------------------------------------------------


def to_inverse_depth(relative: Tensor, reference: Tensor, sky: Tensor) -> Tensor:
    """Relative inverse depth in the proportions of a reference: (h, w) inverse depth > 0, median 1 outside the sky.

    relative (h, w) >= 0, inverse depth up to scale and shift; reference (h', w') z-depth of the same picture, sky
    (h', w') bool. Scale and shift give far and near (the quantiles of RANGE, outside the sky) the reference's values:
    the range of depth is right if the reference's is, and nothing is asked of single pixels. Where the answer does not
    vary (an empty wall, a blank page), the reference is the answer. Sky is what the reference calls so and the network
    puts far away; nothing lies behind it.
    """
    small = resized(relative, reference.shape)
    ground = ~sky & torch.isfinite(reference) & (reference > 0)
    far, near = (float(quantile(small[ground], share)) if ground.any() else 0.0 for share in RANGE)
    if near - far < FLAT * near or near <= 0:
        return resized(reference, relative.shape).clamp(min=1e-6).reciprocal()
    at_far, at_near = (float(quantile(reference[ground].reciprocal(), share)) for share in RANGE)
    scale = max(at_near - at_far, FLAT * at_near) / (near - far)
    inverse = at_far + scale * (relative - far)

    far = relative <= SKY_SHARE * near
    sky_here = connected(far, (resized(sky.float(), relative.shape) > 0) & far)
    ground_here = ~sky_here
    median = inverse[ground_here].median() if ground_here.any() else inverse.median()
    inverse = (inverse / median.clamp(min=1e-6)).clamp(min=1 / FARTHEST)
    if sky_here.any() and ground_here.any():
        behind = quantile(inverse[ground_here], 0.05) / SKY_FACTOR
        inverse = torch.where(sky_here, behind, inverse.clamp(min=behind))
    return inverse


def at_photo_size(inverse: Tensor, image: np.ndarray) -> Tensor:
    """inverse depth (h, w), image (H, W, 3) uint8 -> inverse depth (H, W), its edges moved to those of the photo.

    Enlarging makes a ramp of every edge, whose pixels would float between two surfaces; `edges.align` makes it a step
    again. The rest of `refine_depth` is for coarse cells that hold a mean of surfaces, which these are not.
    """
    size = image.shape[:2]
    enlarged = F.interpolate(inverse[None, None], size, mode="bilinear", align_corners=False)[0, 0]
    photo = torch.from_numpy(np.ascontiguousarray(image)).permute(2, 0, 1).float() / 255
    return align(enlarged, photo, reach(size, inverse.shape))


def resized(value: Tensor, shape: tuple[int, int]) -> Tensor:
    """(h, w) on another grid, nothing averaged."""
    return F.interpolate(value[None, None], tuple(shape), mode="nearest-exact")[0, 0]


def quantile(value: Tensor, share: float) -> Tensor:
    """Of any number of values; torch.quantile has a limit."""
    flat = value.flatten()
    return flat.kthvalue(1 + round(share * (len(flat) - 1))).values
