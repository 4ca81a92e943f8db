"""The large engine: Wan 2.2's video model, steered by the memory through a control branch.

It makes a clip chunk by chunk, all frames of a chunk at once. The memory keeps one token per 16 x 16 pixels, each the
latent of a single picture, as the weights saw them in training: what was generated is decoded, its key frames are
encoded again one by one, and these are written. How a family of weights wants to be fed is its layout
(pipelines/large/families.py).
"""

from collections import OrderedDict, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from diffusers.schedulers import SchedulerMixin
from diffusers.utils.torch_utils import get_module_execution_device
from PIL import Image
from torch import Tensor
from torch.utils.weak import WeakIdKeyDictionary

from pipelines.cameras import Camera, Trajectory
from pipelines.depth import DepthEstimator
from pipelines.engines.base import EngineFacts, Generated, Steps, chunks_of
from pipelines.engines.embedded import fingerprint
from pipelines.events import timed
from pipelines.inpainting.smooth import smooth_fill
from pipelines.large.control import VideoDecoder, encode_prompt, encode_video, hole_video, paint, to_frames, to_video
from pipelines.large.denoising import ChunkInputs, denoise_chunk
from pipelines.large.families import LORA, FewSteps, Layout
from pipelines.large.transformer import MirageTransformer3DModel
from pipelines.masks import Expected, Mask, whole_cells
from pipelines.masks.static import StaticMask
from pipelines.memory import AlignmentError, LatentMemory, Readout, align_depth
from pipelines.memory.references import choose_references

DEPTH_STRIDE = 8  # pixels per depth sample in the memory: 2 x 2 samples for every token
DRAFT = 0.5  # of a layout's steps
KEPT_TEXTS = 8  # of 4 MiB each


@dataclass(eq=False)
class Clip:
    """What one clip carries from chunk to chunk.

    text, negative_text (1, L, D). latents: frame -> what was generated up to it, (C, h, w); pictures: frame -> that
    frame encoded alone. last_frames: (n, H, W, 3) uint8, the newest ones, which the next chunk starts with.
    """

    trajectory: Trajectory
    photo: np.ndarray | None
    text: Tensor
    negative_text: Tensor | None
    noise: torch.Generator
    decoder: VideoDecoder
    num_frames: int = 0
    latents: dict[int, Tensor] = field(default_factory=dict)
    pictures: dict[int, Tensor] = field(default_factory=dict)
    last_frames: np.ndarray | None = None


@dataclass(frozen=True)
class GeneratedFrames(Generated):
    """frames (N, H, W, 3) uint8: a whole chunk, decoded."""

    frames: np.ndarray


class WanMemoryEngine:
    def __init__(
        self,
        transformer: MirageTransformer3DModel,
        vae: AutoencoderKLWan,
        scheduler: SchedulerMixin,
        text_encoder: torch.nn.Module,
        tokenizer,
        depth_estimator: DepthEstimator,
        layout: Layout,
        mask: Mask | None = None,
    ):
        """mask: what of a generated frame may be written; the default leaves out sky, strays and what has moved."""
        if layout.readout == "pixel" and layout.num_preceding:
            raise ValueError("readout='pixel' renders the targets only; this layout has preceding latents: use latent.")
        self.transformer, self.vae, self.scheduler = transformer.eval(), vae.eval(), scheduler
        self.text_encoder, self.tokenizer = text_encoder, tokenizer
        self.depth_estimator, self.layout, self.mask = depth_estimator, layout, mask or StaticMask()
        stride = vae.config.scale_factor_spatial
        self.facts = EngineFacts(
            name=layout.name,
            channels=vae.config.z_dim,
            stride=stride,
            interpolates=False,
            decode_stride=stride,
            frames_per_chunk=layout.next_frames - layout.overlap_frames,
            first_chunk=layout.first_frames,
            depth_stride=DEPTH_STRIDE,
            fps=layout.fps,
            size=(layout.height, layout.width),
            size_step=stride * transformer.config.patch_size[1],
            max_side=1920,
            takes_prompt=True,
            codec=fingerprint(vae.quant_conv),  # small, and no two autoencoders share it
        )
        self._texts: OrderedDict[str, Tensor] = OrderedDict()
        self._white: dict[tuple[int, ...], Tensor] = {}  # latents of white videos, by shape
        # (3, H, W) of every view, decoded once. Its key is the view's depth: the same tensor while no token of it goes,
        # whereas the view itself is another with every vote.
        self._pictures: WeakIdKeyDictionary = WeakIdKeyDictionary()

    def use_few_steps(self, few: FewSteps, scheduler: SchedulerMixin, weights: dict[str, Any]) -> None:
        """Sample as a distilled LoRA wants it, whose adapter the transformer has; weights: its entry in the recipe."""
        sampling = dict(num_inference_steps=few.steps, shift=few.shift, guidance_scale=few.guidance)
        self.layout, self.scheduler = replace(self.layout, **sampling), scheduler
        self.facts = replace(self.facts, weights=(*self.facts.weights, weights))

    # ---- what every engine does --------------------------------------------------------------------------------

    def encode(self, image: Tensor) -> Tensor:
        return encode_video(self.vae, image[:, None] * 2 - 1)[:, 0].cpu()

    def depth(self, image: np.ndarray, K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.depth_estimator(image, K)

    def begin(self, trajectory: Trajectory, photo: np.ndarray | None, prompt: str | None, seed: int) -> Clip:
        layout = self.layout
        text = self.text(" ".join(filter(None, (prompt, layout.prompt_suffix))))
        negative_text = None if layout.guidance_scale == 1 else self.text(layout.negative_prompt)
        noise = torch.Generator("cpu").manual_seed(int(seed))  # the same numbers for every device
        return Clip(trajectory, photo, text, negative_text, noise, VideoDecoder(self.vae))

    def next_keys(self, coverage: np.ndarray, chunk: range, made: frozenset[int]) -> list[int]:
        """All of the chunk's latents at once, with those that go along: targets, then preceding ones."""
        return [] if chunk[-1] in made else sum(self.sequence(chunk), [])

    def denoise(
        self, control: Readout, cameras: Sequence[Camera], seed: int, quality: str, clip: Clip | None = None
    ) -> Steps:
        layout = self.layout
        chunks = chunks_of(self.facts, len(clip.trajectory))
        chunk = next(chunk for chunk in chunks if chunk.start == clip.num_frames)
        targets, preceding = self.sequence(chunk)

        # 1. What is known already: frames made before, the photo, or a picture that the memory holds whole
        clean = None
        if clip.last_frames is not None:
            clean = encode_video(self.vae, to_video(clip.last_frames))
        elif clip.photo is not None:
            clean = encode_video(self.vae, to_video(clip.photo[None]))
            clip.pictures[0] = clean[:, 0].cpu()
        elif control.mask[0].all():
            clean = control.latents[0][:, None]
        num_clean = 0 if clean is None else clean.shape[1]

        # 2. Denoise
        shape = (1, self.facts.channels, len(targets), *control.mask.shape[1:])
        inputs = ChunkInputs(
            noise=torch.randn(shape, generator=clip.noise),
            text=clip.text,
            negative_text=clip.negative_text,
            clean=batch_of_one(clean),
            references=batch_of_one(self.references(control.memory, clip, targets)),
            preceding=batch_of_one([clip.latents[frame] for frame in preceding]),
            control=batch_of_one(self.control(control, cameras, clip, targets)),
        )
        if adapters := getattr(self.transformer, "peft_config", None):
            is_on = chunks.index(chunk) >= layout.lora_from_chunk
            if active := [name for name in adapters if name != LORA or is_on]:
                self.transformer.enable_lora()
                self.transformer.set_adapter(active)
            else:
                self.transformer.disable_lora()
        latents = yield from denoise_chunk(
            self.transformer,
            self.scheduler,
            inputs,
            max(1, round(layout.num_inference_steps * (DRAFT if quality == "draft" else 1))),
            layout.guidance_scale,
            max_sigma=layout.max_sigma,
        )
        latents = latents[0].float()

        # 3. Decode, and look at the key frames as pictures
        seconds = defaultdict(float)
        with timed(seconds, "decode"):
            frames = self.frames(clip, latents, num_clean, len(chunk))
        clip.latents |= {frame: latents[:, i].cpu() for i, frame in enumerate(targets) if frame in chunk}
        clip.last_frames = frames[-layout.overlap_frames :].copy()
        clip.num_frames = chunk.stop
        return self.key_frames(clip, control, cameras, frames, chunk, targets, seconds)

    def decode(self, readout: Readout, generated: GeneratedFrames | None = None) -> np.ndarray:
        if generated is None:
            return np.concatenate([VideoDecoder(self.vae)(latents[:, None]) for latents in readout.latents])
        if len(generated.frames) != len(readout.mask):
            raise ValueError(f"{len(generated.frames)} frames were made and {len(readout.mask)} asked for at once.")
        return generated.frames

    def text(self, prompt: str) -> Tensor:
        """(1, L, D) on the CPU. A prompt is read once, as long as not too many others have come since."""
        if prompt not in self._texts:
            self._texts[prompt] = encode_prompt(self.tokenizer, self.text_encoder, prompt).cpu()
        self._texts.move_to_end(prompt)
        while len(self._texts) > KEPT_TEXTS:
            self._texts.popitem(last=False)
        return self._texts[prompt]

    # ---- the parts of a chunk ----------------------------------------------------------------------------------

    def sequence(self, chunk: range) -> tuple[list[int], list[int]]:
        """The frames that latents stand for (the last of each group): targets, and preceding ones."""
        layout, step = self.layout, self.layout.latent_frames
        start = chunk.start - layout.overlap_frames if chunk.start else 0
        preceding = range(start - step * layout.num_preceding, start, step) if chunk.start else []
        return list(range(start, chunk.stop, step)), list(preceding)

    def references(self, memory: LatentMemory, clip: Clip, targets: list[int]) -> list[Tensor]:
        """Earlier pictures that show what the targets will see, (C, h, w) each, the most useful one first."""
        candidates = sorted(clip.pictures)
        cameras = [[clip.trajectory[frame] for frame in frames] for frames in (targets, candidates)]
        newest = self.layout.overlap_latents + self.layout.num_preceding  # they go along anyway
        chosen = choose_references(memory, *cameras, self.layout.num_references, exclude_last=newest)
        return [clip.pictures[candidates[index]] for index in chosen]

    @torch.no_grad()
    def control(self, readout: Readout, cameras: Sequence[Camera], clip: Clip, targets: list[int]) -> Tensor | None:
        """What the memory shows at the targets and preceding latents: (control channels, T + P, h, w)."""
        config, layout = self.transformer.config, self.layout
        if not config.vace_layers:
            return None
        if layout.readout == "latent" and layout.cell_centre != 0.5:
            readout = self.read_off_centre(readout, cameras)
        mask = readout.mask
        if layout.readout == "pixel":
            shown, mask = self.rendered(readout.memory, clip.trajectory[targets[0] : targets[-1] + 1])
            shown = encode_video(self.vae, shown)
        else:
            shown = readout.latents.transpose(0, 1)
        if self.transformer.vace_patch_embedding.in_channels == len(shown):
            return shown
        if layout.second_half == "ones":
            second = self.white(*shown.shape[1:])
        elif layout.readout == "pixel":
            second = encode_video(self.vae, hole_video(mask))
        else:
            second = encode_video(self.vae, hole_video(mask, self.facts.stride, layout.latent_frames))
        return torch.cat([shown.to(second), second])

    def read_off_centre(self, readout: Readout, cameras: Sequence[Camera]) -> Readout:
        """The same readout with tokens lifted and read where the layout has the centre of a cell."""
        grid, cells = readout.mask.shape[1:], 0.5 - self.layout.cell_centre
        return readout.memory.shifted(cells).readout([c.resized(*grid).shifted(cells, cells) for c in cameras], *grid)

    def rendered(self, memory: LatentMemory, path: Trajectory) -> tuple[Tensor, Tensor]:
        """The memory's colours at every camera: (3, T, H, W) in [-1, 1], black where unknown, and (T, H, W) bool."""
        readout = memory.readout(list(path), path.height // DEPTH_STRIDE, path.width // DEPTH_STRIDE)
        return paint(readout, self.pictures(readout), path.height, path.width)

    def pictures(self, readout: Readout) -> dict[int, Tensor]:
        """What each view shows that a readout shows: index -> (3, H, W) in [-1, 1], on the device that decodes."""
        device = get_module_execution_device(self.vae)
        seen = readout.view[readout.mask].unique().tolist()
        return {index: self.picture(readout.memory, index).to(device) for index in seen}

    def picture(self, memory: LatentMemory, index: int) -> Tensor:
        """What view `index` of a memory shows: (3, H, W) in [-1, 1]."""
        view = memory.views[index]
        if view.depth not in self._pictures:
            tokens, stored = memory.tokens_of(index)
            frame = VideoDecoder(self.vae)(smooth_fill(tokens, stored)[:, None])
            self._pictures[view.depth] = to_video(frame)[:, 0]
        return self._pictures[view.depth]

    def white(self, frames: int, height: int, width: int) -> Tensor:
        """Latents of a white video, which some weights are given where others get holes. Made once for each shape."""
        shape = (frames, height, width)
        if shape not in self._white:
            num_frames, stride = 1 + (frames - 1) * self.layout.latent_frames, self.facts.stride
            self._white[shape] = encode_video(self.vae, torch.ones(3, num_frames, height * stride, width * stride))
        return self._white[shape]

    def frames(self, clip: Clip, latents: Tensor, num_clean: int, count: int) -> np.ndarray:
        """latents (C, T, h, w) -> the chunk's `count` frames (N, H, W, 3) uint8."""
        if not clip.num_frames:
            return clip.decoder(latents)
        if self.layout.joint_decode:
            return clip.decoder(latents[:, num_clean:])
        return VideoDecoder(self.vae)(latents)[-count:]

    def key_frames(
        self,
        clip: Clip,
        control: Readout,
        cameras: Sequence[Camera],
        frames: np.ndarray,
        chunk: range,
        targets: list[int],
        seconds: dict[str, float],
    ) -> GeneratedFrames:
        """The chunk's key frames as tokens with depth, in the memory's own scale; `frames` are all of the chunk.

        Cameras that only went along get no valid sample.
        """
        height, width = (side // DEPTH_STRIDE for side in frames.shape[1:3])
        tokens = torch.zeros(len(cameras), self.facts.channels, *control.mask.shape[1:])
        depths = torch.zeros(len(cameras), height, width)
        with timed(seconds, "memory_readout"):
            shown = control.memory.readout(list(cameras), height, width)
            expected = to_frames(paint(shown, self.pictures(shown), height, width)[0])
        for i, frame in enumerate(targets):
            if frame not in chunk or frame in clip.pictures:  # made before, or the photo
                continue
            picture = frames[frame - chunk.start]
            with timed(seconds, "encode"):
                tokens[i] = clip.pictures[frame] = self.encode(torch.from_numpy(picture).permute(2, 0, 1).float() / 255)
            with timed(seconds, "depth"):
                depth, valid = self.depth(picture, cameras[i].resized(*picture.shape[:2]).K)
                depth, valid = (middle(torch.from_numpy(part), DEPTH_STRIDE) for part in (depth, valid))
                try:
                    depth = align_depth(depth, shown.depth[i], valid).depth
                except AlignmentError:  # its scale is unknown, so it has no place in the world
                    continue
                small = Image.fromarray(picture).resize((width, height), Image.Resampling.BOX)
                known = Expected(expected[i], shown.depth[i].numpy())
                keep = whole_cells(self.mask(np.array(small), depth.numpy(), known), *tokens.shape[2:])
                per_token = self.facts.stride // DEPTH_STRIDE
                depths[i] = depth * valid * torch.from_numpy(keep.repeat(per_token, 0).repeat(per_token, 1))
        return GeneratedFrames(tokens, depths, depths > 0, frames, seconds=dict(seconds))


def batch_of_one(latents: Tensor | list[Tensor] | None) -> Tensor | None:
    """(C, T, h, w), or T times (C, h, w) -> (1, C, T, h, w)."""
    if isinstance(latents, list):
        latents = torch.stack(latents, dim=1) if latents else None
    return None if latents is None else latents[None]


def middle(image: Tensor, step: int) -> Tensor:
    """(H, W) -> (H / step, W / step): the sample in the middle of each cell, so nothing is averaged across edges."""
    return image[step // 2 :: step, step // 2 :: step]
