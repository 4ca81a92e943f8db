"""The large engine: Wan 2.2's video model, steered by the memory through a control branch.

It makes a clip chunk by chunk, all frames of a chunk at once. The memory keeps one token per 16 x 16 pixels, each the
latent of a single picture, as the weights saw them in training: what was generated is decoded, its key frames are
encoded again one by one, and these are written. How a family of weights wants to be fed is its layout
(pipelines/large/families.py).
"""

from collections import defaultdict
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKLWan
from diffusers.schedulers import SchedulerMixin
from PIL import Image
from torch import Tensor

from pipelines.cameras import Camera, Trajectory
from pipelines.depth import DepthEstimator
from pipelines.engines.base import EngineFacts, Generated, Step, Steps, chunks_of, fingerprint
from pipelines.engines.decoded_views import DecodedViews
from pipelines.events import timed, timed_steps
from pipelines.large.control import DEPTH_STRIDE, MemoryControl
from pipelines.large.denoising import ChunkInputs, denoise_chunk
from pipelines.large.families import FewSteps, Layout
from pipelines.large.lora import switch_loras
from pipelines.large.painting import paint
from pipelines.large.text import PromptReader
from pipelines.large.transformer import MirageTransformer3DModel
from pipelines.large.video import VideoDecoder, encode_video, to_frames, to_video
from pipelines.masks import Expected, Mask, whole_cells
from pipelines.masks.static import StaticMask
from pipelines.memory import AlignmentError, LatentMemory, Readout, align_depth
from pipelines.memory.references import choose_references

DRAFT = 0.5  # of a layout's steps


@dataclass(eq=False)
class ClipState:
    """What the engine carries from chunk to chunk of one clip.

    latents: frame -> what was generated up to it, (C, h, w); pictures: frame -> that frame encoded alone.
    last_frames: (n, H, W, 3) uint8, the newest ones, which the next chunk starts with.
    """

    trajectory: Trajectory
    photo: np.ndarray | None
    prompt: str | None
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


class LargeEngine:
    """An `Engine` of latents, 16 pixels wide: Wan 2.2's parts, fed as a layout says."""

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
        """mask: what of a generated frame may be written; the default leaves out sky, strays and what has moved.

        Raises ValueError for a layout whose readout and preceding latents exclude each other.
        """
        if layout.readout == "pixel" and layout.num_preceding:
            raise ValueError("readout='pixel' renders the targets only; this layout has preceding latents: use latent.")
        self.transformer, self.vae, self.scheduler = transformer.eval(), vae.eval(), scheduler
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
            frame_step=layout.latent_frames,
            fps=layout.fps,
            size=(layout.height, layout.width),
            size_step=stride * transformer.config.patch_size[1],
            max_side=1920,
            takes_prompt=True,
            measures=True,
            codec=fingerprint(vae.quant_conv),  # small, and no two autoencoders share it
        )
        self.read_prompt = PromptReader(tokenizer, text_encoder)
        self.views = DecodedViews(vae)
        self.memory_control = MemoryControl(vae, stride, self.views.shown_in)

    def use_few_steps(self, few: FewSteps, scheduler: SchedulerMixin, weights: dict[str, Any]) -> None:
        """Sample as a distilled LoRA needs it, which is attached already. weights: its entry in card and recipe."""
        sampling = dict(num_inference_steps=few.steps, shift=few.shift, guidance_scale=few.guidance)
        self.layout, self.scheduler = replace(self.layout, **sampling), scheduler
        self.facts = replace(self.facts, weights=(*self.facts.weights, weights))

    # ---- what every engine does --------------------------------------------------------------------------------

    def encode(self, image: Tensor) -> Tensor:
        return encode_video(self.vae, image[:, None] * 2 - 1)[:, 0].cpu()

    def depth(self, image: np.ndarray, K: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return self.depth_estimator(image, K)

    def begin(self, trajectory: Trajectory, photo: np.ndarray | None, prompt: str | None, seed: int) -> ClipState:
        noise = torch.Generator("cpu").manual_seed(int(seed))  # the same numbers for every device
        return ClipState(trajectory, photo, prompt, noise, VideoDecoder(self.vae))

    def next_keys(self, coverage: np.ndarray, chunk: range, made: frozenset[int]) -> list[int]:
        """The frames of all of the chunk's latents, which are made at once: targets, then preceding ones."""
        return [] if chunk[-1] in made else sum(self.sequence(chunk), [])

    def denoise(
        self, control: Readout, cameras: Sequence[Camera], seed: int, quality: str, clip: ClipState | None = None
    ) -> Steps:
        layout = self.layout
        chunks = chunks_of(self.facts, len(clip.trajectory))
        chunk = next(chunk for chunk in chunks if chunk.start == clip.num_frames)
        targets, preceding = self.sequence(chunk)
        num_steps = max(1, round(layout.num_inference_steps * (DRAFT if quality == "draft" else 1)))
        yield Step(0, num_steps)

        # 1. What is known already: the text; frames made before, the photo, or a picture that the memory holds whole
        text = self.read_prompt(" ".join(filter(None, (clip.prompt, layout.prompt_suffix))))
        negative_text = None if layout.guidance_scale == 1 else self.read_prompt(layout.negative_prompt)
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
            text=text,
            negative_text=negative_text,
            clean=batch_of_one(clean),
            references=batch_of_one(self.references(control.memory, clip, targets)),
            preceding=batch_of_one([clip.latents[frame] for frame in preceding]),
            control=batch_of_one(self.control(control, cameras, clip, targets)),
        )
        switch_loras(self.transformer, released=chunks.index(chunk) >= layout.lora_from_chunk)
        latents = yield from denoise_chunk(
            self.transformer,
            self.scheduler,
            inputs,
            num_steps,
            layout.guidance_scale,
            max_sigma=layout.max_sigma,
        )
        latents = latents[0].float()

        # 3. Decode, and look at the key frames as pictures: those that were not made before, but the photo
        seconds = defaultdict(float)
        keys = {i: frame for i, frame in enumerate(targets) if frame in chunk and frame not in clip.pictures}
        frames, num_decoded = yield from self.frames(clip, latents, num_clean, len(chunk), len(keys), seconds)
        clip.latents |= {frame: latents[:, i].cpu() for i, frame in enumerate(targets) if frame in chunk}
        clip.last_frames = frames[-layout.overlap_frames :].copy()
        clip.num_frames = chunk.stop
        return (yield from self.key_frames(clip, control, cameras, frames, keys, num_decoded, seconds))

    def decode(self, readout: Readout, generated: GeneratedFrames | None = None) -> np.ndarray:
        if generated is None:
            return np.concatenate([VideoDecoder(self.vae)(latents[:, None]) for latents in readout.latents])
        if len(generated.frames) != len(readout.mask):
            raise ValueError(f"{len(generated.frames)} frames were made and {len(readout.mask)} asked for at once.")
        return generated.frames

    # ---- the parts of a chunk ----------------------------------------------------------------------------------

    def sequence(self, chunk: range) -> tuple[list[int], list[int]]:
        """The frames that latents stand for (the last of each group): targets, and preceding ones."""
        layout, step = self.layout, self.layout.latent_frames
        start = chunk.start - layout.overlap_frames if chunk.start else 0
        preceding = range(start - step * layout.num_preceding, start, step) if chunk.start else []
        return list(range(start, chunk.stop, step)), list(preceding)

    def references(self, memory: LatentMemory, clip: ClipState, targets: list[int]) -> list[Tensor]:
        """Earlier pictures that show what the targets will see, (C, h, w) each, the most useful one first."""
        candidates = sorted(clip.pictures)
        cameras = [[clip.trajectory[frame] for frame in frames] for frames in (targets, candidates)]
        newest = self.layout.overlap_latents + self.layout.num_preceding  # the chunk gets them anyway
        chosen = choose_references(memory, *cameras, self.layout.num_references, exclude_last=newest)
        return [clip.pictures[candidates[index]] for index in chosen]

    def control(
        self, readout: Readout, cameras: Sequence[Camera], clip: ClipState, targets: list[int]
    ) -> Tensor | None:
        """What the memory shows at the targets and preceding latents: (control channels, T + P, h, w)."""
        if not self.transformer.config.vace_layers:
            return None
        path = clip.trajectory[targets[0] : targets[-1] + 1]
        channels = self.transformer.vace_patch_embedding.in_channels
        return self.memory_control(self.layout, readout, cameras, path, channels)

    def frames(
        self, clip: ClipState, latents: Tensor, num_clean: int, count: int, num_later: int, seconds: dict[str, float]
    ) -> Generator[Step, None, tuple[np.ndarray, int]]:
        """latents (C, T, h, w) -> the chunk's `count` frames (N, H, W, 3) uint8, and how many steps that took.

        num_later: steps that come after these.
        """
        is_first = not clip.num_frames
        decoder = clip.decoder if is_first or self.layout.joint_decode else VideoDecoder(self.vae)
        steps = decoder.steps(latents if is_first or decoder is not clip.decoder else latents[:, num_clean:])
        steps, num_steps = timed_steps(steps, seconds, "decode"), 0
        while True:
            try:
                step, num_steps = next(steps)
            except StopIteration as done:
                return done.value[-count:], num_steps
            yield Step(step, num_steps + num_later, stage="decode")

    def key_frames(
        self,
        clip: ClipState,
        control: Readout,
        cameras: Sequence[Camera],
        frames: np.ndarray,
        keys: dict[int, int],
        num_before: int,
        seconds: dict[str, float],
    ) -> Generator[Step, None, GeneratedFrames]:
        """The chunk's key frames as tokens with depth, in the memory's own scale; `frames` are all of the chunk.

        control, cameras: at targets and preceding latents. keys: place among them -> frame of the clip; the other
        cameras, of preceding latents and of frames that were made before, get no valid sample. num_before: steps that
        came before these.
        """
        height, width = (side // DEPTH_STRIDE for side in frames.shape[1:3])
        tokens = torch.zeros(len(cameras), self.facts.channels, *control.mask.shape[1:])
        depths = torch.zeros(len(cameras), height, width)
        with timed(seconds, "memory_readout"):
            shown = control.memory.readout(list(cameras), height, width)
            expected = to_frames(paint(shown, self.views.shown_in(shown), height, width)[0])
        unplaced, first_frame = 0, clip.num_frames - len(frames)
        for step, (i, frame) in enumerate(keys.items(), start=num_before):
            yield Step(step, num_before + len(keys), stage="decode")
            picture = frames[frame - first_frame]
            with timed(seconds, "encode"):
                tokens[i] = clip.pictures[frame] = self.encode(torch.from_numpy(picture).permute(2, 0, 1).float() / 255)
            with timed(seconds, "depth"):
                try:
                    depths[i] = self.depth_to_write(picture, cameras[i], expected[i], shown.depth[i])
                except AlignmentError:  # its scale is unknown, so it has no place in the world
                    unplaced += 1
        return GeneratedFrames(tokens, depths, depths > 0, frames, seconds=dict(seconds), unplaced=unplaced)

    def depth_to_write(self, picture: np.ndarray, camera: Camera, expected: np.ndarray, shown: Tensor) -> Tensor:
        """Depth of a key frame (H, W, 3) uint8 as the memory may keep it, (H / 8, W / 8), 0 where it may not.

        expected (H / 8, W / 8, 3) uint8, shown (H / 8, W / 8): colours and depth that the memory has there. Raises
        AlignmentError where the two depths have too little in common.
        """
        depth, valid = self.depth(picture, camera.resized(*picture.shape[:2]).K)
        depth, valid = (middle(torch.from_numpy(part), DEPTH_STRIDE) for part in (depth, valid))
        depth = align_depth(depth, shown, valid).depth
        height, width = shown.shape
        small = np.array(Image.fromarray(picture).resize((width, height), Image.Resampling.BOX))
        keep = self.mask(small, depth.numpy(), Expected(expected, shown.numpy()))
        per_token = self.facts.stride // DEPTH_STRIDE
        keep = whole_cells(keep, height // per_token, width // per_token)
        return depth * valid * torch.from_numpy(keep.repeat(per_token, 0).repeat(per_token, 1))


def batch_of_one(latents: Tensor | list[Tensor] | None) -> Tensor | None:
    """(C, T, h, w), or T times (C, h, w) -> (1, C, T, h, w)."""
    if isinstance(latents, list):
        latents = torch.stack(latents, dim=1) if latents else None
    return None if latents is None else latents[None]


def middle(image: Tensor, step: int) -> Tensor:
    """(H, W) -> (H / step, W / step): the sample in the middle of each cell, so nothing is averaged across edges."""
    return image[step // 2 :: step, step // 2 :: step]
