"""`MiragePipeline`: one photo and a camera path become a clip in which the place stays itself.

photo -> tokens + depth -> memory; then chunk by chunk: read the memory at the cameras, generate what nobody has seen,
write it back, decode. The loop is the same for every engine (engines/base.py). How a photo is lifted is in
photo/lifting.py, how a folder is opened in opening.py, where a LoRA joins in large/lora.py.
"""

import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline, ModelMixin
from diffusers.schedulers import SchedulerMixin
from PIL import Image
from safetensors import SafetensorError

from pipelines.cameras import Camera, Trajectory
from pipelines.depth import DepthEstimator, depth_estimator
from pipelines.depth.embedded import DepthNet, EmbeddedDepth
from pipelines.engines.autoencoder import FineAutoencoder
from pipelines.engines.base import Engine, Step, cameras_of, chunks_of
from pipelines.engines.embedded import EmbeddedEngine
from pipelines.errors import Refused
from pipelines.events import PARTS, ChunkEvent, DoneEvent, LoopScore, StepEvent, timed, timed_steps
from pipelines.files import atomic_write
from pipelines.inputs import check_inputs, check_size
from pipelines.large.families import FewSteps, layout_like, layout_named
from pipelines.large.lora import attach_few_steps, attach_lora, few_steps_entry, saved_beside
from pipelines.memory import LatentMemory
from pipelines.metrics import psnr, ssim
from pipelines.opening import open_folder
from pipelines.output import MirageOutput
from pipelines.photo import outlook
from pipelines.photo.cutout import alpha_of, check_before, cover_of
from pipelines.photo.drift import colour_change
from pipelines.photo.frame import DEFAULT_FOV
from pipelines.photo.lifted import Lifted
from pipelines.photo.lifting import lift_photo
from pipelines.pictures import check_picture
from pipelines.recipe import recipe_of
from pipelines.weights.conversion import CONVERSION
from pipelines.weights.errors import unreadable
from pipelines.weights.shipped import EMBEDDED_FOLDER

PIXELS_PER_READOUT = 2_100_000  # one 1920x1080 frame; bounds the memory of a decode


class MiragePipeline(DiffusionPipeline):
    """Photo + trajectory -> clip, on the engine that its components make up.

    autoencoder (FineAutoencoder) and depth (DepthNet) make the embedded engine; a transformer
    (MirageTransformer3DModel), the other parts of Wan 2.2 and the name of a layout make the large one.
    `MiragePipeline.embedded()` loads the weights that ship with the project, `from_pretrained` any folder in the
    diffusers layout.
    """

    _optional_components = ["autoencoder", "depth", "transformer", "vae", "scheduler", "text_encoder", "tokenizer"]
    model_cpu_offload_seq = "text_encoder->transformer->vae"
    few_steps: FewSteps | None = None
    _undo_few_steps: Callable[[], None] | None = None
    _interrupt = False
    profile: dict | None = None  # how it runs, where pipelines.large.profiles has set it up

    def __init__(
        self,
        autoencoder: FineAutoencoder | None = None,
        depth: DepthNet | None = None,
        transformer: ModelMixin | None = None,
        vae: ModelMixin | None = None,
        scheduler: SchedulerMixin | None = None,
        text_encoder: torch.nn.Module | None = None,
        tokenizer=None,
        layout: str | None = None,
    ):
        super().__init__()
        self.register_modules(
            autoencoder=autoencoder,
            depth=depth,
            transformer=transformer,
            vae=vae,
            scheduler=scheduler,
            text_encoder=text_encoder,
            tokenizer=tokenizer,
        )
        if layout is None and transformer is not None:
            layout = layout_like(len(transformer.config.vace_layers)).name
        self.register_to_config(layout=layout)
        # Not a component of the large engine, so that it stays on the CPU when the pipeline moves to a GPU.
        estimator = EmbeddedDepth(depth or DepthNet.from_pretrained(EMBEDDED_FOLDER / "depth"))
        if transformer is None:
            self.engine: Engine = EmbeddedEngine(autoencoder, estimator)
            return
        from pipelines.engines.large import LargeEngine

        parts = transformer, vae, scheduler, text_encoder, tokenizer
        self.engine = LargeEngine(*parts, estimator, layout_named(layout))

    # ---- opening -----------------------------------------------------------------------------------------------

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs) -> "MiragePipeline":
        """Open a folder that `save_pretrained` or `python -m pipelines convert` wrote, or such a repository.

        A stock Wan2.2-TI2V-5B-Diffusers folder opens too: without a control branch, so the memory does not steer it,
        unless `transformer`, or the released files `control` and `lora` (with `lora_alpha`, `layout`: see `convert`)
        are given. Where nothing names a layout the number of control blocks does. A LoRA in the folder is attached.
        depth: a DepthNet, a DepthEstimator or the name of one, see pipelines.depth.depth_estimator. Other arguments as
        in diffusers. Raises Refused (a ValueError) for a folder, an estimator or released files that cannot be used.
        """
        estimator = None
        if not isinstance(kwargs.get("depth"), DepthNet):
            estimator = kwargs.pop("depth", None)
            if isinstance(estimator, str | Path):  # first, so that a wrong name is refused at once
                estimator = depth_estimator(estimator)
        folder, kwargs, weights = open_folder(pretrained_model_name_or_path, kwargs)
        try:
            pipe = super().from_pretrained(folder, **kwargs)
            attach_lora(pipe.transformer, folder)
        except (SafetensorError, json.JSONDecodeError, OSError) as error:
            raise unreadable(folder, error) from error
        pipe.engine.facts = replace(pipe.engine.facts, weights=weights)
        if estimator is not None:
            pipe.engine.depth_estimator = estimator
        return pipe

    @classmethod
    def embedded(cls, depth: "str | Path | DepthEstimator | None" = None) -> "MiragePipeline":
        """The small engine that ships with the project; needs no network and no GPU, but for another depth estimator.

        depth: as in `from_pretrained`, for example "depth-anything"; None: the one that ships too.
        """
        return cls.from_pretrained(EMBEDDED_FOLDER, **({} if depth is None else {"depth": depth}))

    # ---- from photo to clip ------------------------------------------------------------------------------------

    def lift(
        self,
        image: Image.Image | np.ndarray,
        height: int,
        width: int,
        camera: Camera | None = None,
        depth: np.ndarray | None = None,
        memory: LatentMemory | None = None,
        fov_degrees: float = DEFAULT_FOV,
        focus: float = 0.5,
        zoom: float = 1.0,
        estimator: DepthEstimator | None = None,
        like: Lifted | None = None,
        seconds: dict | None = None,
    ) -> Lifted:
        """Give a photo depth and write it into a memory, ready to be seen from other cameras.

        The clip's frame is the largest part of the photo in the shape of (height, width) pixels, or closer about the
        same middle with zoom, up to MAX_ZOOM; what lies around it, as far as MARGIN, is remembered as well. With zoom
        below 1, down to MIN_ZOOM, it shows more than a photo whose rim is a backdrop of one colour. camera: the
        frame's, on any grid of that shape; without one it stands at the origin with fov_degrees across the long side of
        the largest frame. focus: where the largest frame lies, 0 left or top .. 1 right or bottom. depth: z-depth of
        the whole photo, (H, W) in scene units; if None, estimator measures it, the pipeline's own if that is None too.
        like: the same photo, lifted before: spares measuring where the same estimator would measure the same again.
        memory: a world the photo is added to; left unchanged. seconds: gets the time of each part, see `DoneEvent`.
        Raises Refused for a size, focus or zoom out of range, zoom below 1 of any other photo, depth without a known
        value, or `like` of another photo.
        """
        check_size(height, width, self.engine.facts.size_step, self.engine.facts.max_side)
        source = image if isinstance(image, Image.Image) else Image.fromarray(check_picture(image))
        framing = {"fov_degrees": fov_degrees, "focus": focus, "zoom": zoom}
        measuring = {"estimator": estimator or self.engine.depth_estimator, "like": like}
        measuring["seconds"] = defaultdict(float) if seconds is None else seconds
        source = source if source.mode == "RGB" else source.convert("RGB")  # which would copy it
        return lift_photo(self.engine, source, height, width, camera, depth, memory, **framing, **measuring)

    def __call__(
        self,
        image: "Image.Image | np.ndarray | Lifted | None",
        trajectory: Trajectory,
        prompt: str | None = None,
        seed: int = 0,
        memory: LatentMemory | None = None,
        depth: np.ndarray | None = None,
        quality: str = "standard",
        focus: float = 0.5,
        zoom: float = 1.0,
        estimator: DepthEstimator | None = None,
        alpha: bool = False,
        callback_on_step_end: "Callable[[MiragePipeline, int, float | None, dict], Any] | None" = None,
    ) -> MirageOutput:
        """Render a whole clip; see `stream` for the arguments.

        callback_on_step_end(pipe, step, timestep, callback_kwargs) is called after every denoising step, as in
        diffusers: step counts from 0 in each run of the engine, timestep is the scheduler's, None for an engine without
        one. It is a place to watch and to stop, not to steer: callback_kwargs is empty, what it returns is ignored.
        After `pipe.interrupt = True` the clip ends with the chunks that are complete; what it raises ends the render.
        """
        inputs = image, trajectory, prompt, seed, memory, depth, quality, focus, zoom, estimator, alpha
        for event in self.stream(*inputs):
            is_step = isinstance(event, StepEvent) and event.stage == "denoise" and event.step
            if callback_on_step_end is not None and is_step:
                callback_on_step_end(self, event.step - 1, event.timestep, {})
        return MirageOutput.of(event)

    def stream(
        self,
        image: "Image.Image | np.ndarray | Lifted | None",
        trajectory: Trajectory,
        prompt: str | None = None,
        seed: int = 0,
        memory: LatentMemory | None = None,
        depth: np.ndarray | None = None,
        quality: str = "standard",
        focus: float = 0.5,
        zoom: float = 1.0,
        estimator: DepthEstimator | None = None,
        alpha: bool = False,
    ) -> Iterator[StepEvent | ChunkEvent | DoneEvent]:
        """Render, with an event for every step and every chunk. Closing the iterator stops the work within one step.

        image: RGB photo (PIL, or (H, W, 3) uint8), a `Lifted` one, or None to go on in `memory` alone; trajectory[0]
        sees a frame of it in the trajectory's shape, as in `lift`. memory: a world to start in; it is not changed.
        depth, estimator, focus, zoom: of a photo, as in `lift`; a `Lifted` one has its own. quality: "draft" or
        "standard". alpha: also how opaque every pixel is, of a product before a backdrop of one colour; the frames stay
        what they are. Equal arguments give equal bits on one machine. Raises Refused (a ValueError) before any work for
        input that cannot be rendered, and once a photo is lifted where alpha is asked for and it has no such backdrop.
        """
        self.check_inputs(image, trajectory, prompt, seed, memory, depth, quality, focus, zoom)
        if alpha:
            check_before(self.engine.facts, image)
        return self._stream(image, trajectory, prompt, seed, memory, depth, quality, focus, zoom, estimator, alpha)

    @property
    def interrupt(self) -> bool:
        """As in diffusers. Set it while a clip is rendered, and that ends with the chunks that are complete."""
        return self._interrupt

    @interrupt.setter
    def interrupt(self, value: bool) -> None:
        self._interrupt = value

    def check_inputs(self, image, trajectory, prompt, seed, memory, depth, quality, focus=0.5, zoom=1.0) -> None:
        """Raise Refused (a ValueError) for what `stream` would refuse: the same arguments, the same checks."""
        check_inputs(self.engine.facts, image, trajectory, prompt, seed, memory, depth, quality, focus, zoom)

    def _stream(self, *arguments):
        try:
            yield from self._render(*arguments)
        finally:  # also where it is closed early, or fails
            self.maybe_free_model_hooks()

    def _render(self, image, trajectory, prompt, seed, memory, depth, quality, focus, zoom, estimator, alpha):
        facts, started = self.engine.facts, time.perf_counter()
        seconds = defaultdict(float, dict.fromkeys(PARTS, 0.0))
        cameras = cameras_of(facts, trajectory)
        chunks, num_ready = chunks_of(facts, len(cameras)), 0
        self._interrupt = False

        # 1. The photo becomes tokens with depth, in a memory.
        lifted = image if isinstance(image, Lifted) else None
        if lifted is None and image is not None:
            yield StepEvent(0, len(chunks), 0, 1, "depth")
            size, framing = (trajectory.height, trajectory.width), {"focus": focus, "zoom": zoom}
            options = {**framing, "estimator": estimator, "seconds": seconds}
            lifted = self.lift(image, *size, trajectory[0], depth, memory, **options)
        memory = (memory if lifted is None else lifted.memory).copy()
        num_known_views = len(memory.views)
        cover = cover_of(facts, lifted) if alpha else None
        clip = self.engine.begin(cameras, None if lifted is None else lifted.image, prompt, seed)

        frames = np.empty((len(cameras), trajectory.height, trajectory.width, 3), np.uint8)
        opaque = np.empty(frames.shape[:3], np.uint8) if alpha else None
        backed = np.empty(len(cameras), np.float32)
        coverage, made, drift, unplaced = outlook.coverage(memory, cameras, lifted), frozenset(), [], 0
        grid = trajectory.height // facts.stride, trajectory.width // facts.stride
        decode_grid = trajectory.height // facts.decode_stride, trajectory.width // facts.decode_stride
        group = max(1, PIXELS_PER_READOUT // math.prod(decode_grid))
        for index, chunk in enumerate(chunks):
            # 2. Generate what the memory does not show, and remember it.
            generated = None
            while keys := self.engine.next_keys(coverage, chunk, made):
                views = [cameras[t] for t in keys]
                with timed(seconds, "memory_readout"):
                    control = memory.readout(views, *grid)
                generated = yield from self._denoise(control, views, seed, quality, clip, index, len(chunks), seconds)
                if self._interrupt:
                    break
                for part, spent in generated.seconds.items():
                    seconds[part] += spent
                    seconds["denoise"] -= spent
                with timed(seconds, "memory_write"):
                    memory.write(generated.tokens, generated.depth, views, generated.valid, invented=True)
                made |= frozenset(keys)
                unplaced += generated.unplaced
                with timed(seconds, "memory_readout"):
                    coverage = outlook.coverage(memory, cameras, lifted)
            if self._interrupt:
                break

            # 3. Read the memory at every camera of the chunk and decode.
            for start in range(chunk.start, chunk.stop, group):
                yield StepEvent(index, len(chunks), start - chunk.start, len(chunk), "decode")
                part = slice(start, min(start + group, chunk.stop))
                with timed(seconds, "memory_readout"):
                    readout = memory.readout(list(cameras[part]), *decode_grid)
                with timed(seconds, "decode"):
                    frames[part] = self.engine.decode(readout, generated)
                plate = lifted and lifted.paint_plate(frames[part], readout, cameras[part])
                if alpha:
                    opaque[part] = alpha_of(frames[part], readout, plate, lifted, cover)
                backed[part] = outlook.backed(readout, num_known_views, plate)
                if part.stop == chunk.stop and lifted is not None and lifted.view is not None:
                    drift.append(colour_change(frames[part][-1], lifted.photo, readout, lifted.view))
            num_ready = chunk.stop
            ready = slice(chunk.start, min(chunk.stop, len(trajectory)))
            if chunk.start < len(trajectory):
                shown = None if opaque is None else opaque[ready]
                yield ChunkEvent(index, len(chunks), chunk.start, frames[ready], backed[ready], shown)

        # 4. What the clip is worth.
        loop = LoopScore(trajectory.is_closed and num_ready == len(cameras))
        if loop.closed:
            first, back = frames[0], frames[len(trajectory.with_return()) - 1]
            loop = LoopScore(True, psnr(first, back), ssim(first, back))
        whole = slice(min(num_ready, len(trajectory)))
        frames, backed, opaque = (None if values is None else values[whole] for values in (frames, backed, opaque))
        seconds["total"] = time.perf_counter() - started
        recipe = self.recipe(lifted, trajectory, seed, quality, prompt)
        backdrop, worst = lifted.backdrop_colour if alpha else None, max(drift, default=0.0)
        yield DoneEvent(frames, backed, memory, loop, worst, dict(seconds), recipe, unplaced, opaque, backdrop)

    def _denoise(self, control, cameras, seed, quality, clip, chunk, num_chunks, seconds) -> Iterator[StepEvent]:
        """Run the engine's steps as events, returning what it generated; closing this closes the engine's run."""
        steps = timed_steps(self.engine.denoise(control, cameras, seed, quality, clip), seconds, "denoise")
        while not self._interrupt:
            try:
                step = Step(*next(steps))
            except StopIteration as done:
                return done.value
            yield StepEvent(chunk, num_chunks, step.step, step.num_steps, step.stage, step.timestep)
        steps.close()

    def recipe(
        self,
        photo: Image.Image | np.ndarray | Lifted | None,
        trajectory: Trajectory,
        seed: int,
        quality: str,
        prompt: str | None = None,
        focus: float | None = None,
        zoom: float | None = None,
        estimator: DepthEstimator | None = None,
    ) -> dict:
        """What it takes to render a clip again: see `pipelines.recipe.recipe_of`."""
        return recipe_of(self.engine, photo, trajectory, seed, quality, prompt, focus, zoom, estimator, self.profile)

    # ---- where it runs, in how many steps, and what is kept of it --------------------------------------------------

    def to(self, *args, **kwargs) -> "MiragePipeline":
        """As in diffusers; the depth estimator and the mask move too, if they have a `to`."""
        super().to(*args, **kwargs)
        device = kwargs.get("device", args[0] if args else None)
        if device is not None and not isinstance(device, torch.dtype):
            self.move_helpers(torch.device(device))
        return self

    def move_helpers(self, device: str | torch.device) -> None:
        """Move what works for the pipeline without being a component of it: the depth estimator and the mask."""
        for part in (self.engine.depth_estimator, getattr(self.engine, "mask", None)):
            if callable(move := getattr(part, "to", None)):
                move(device)

    def use_few_steps(self, few: FewSteps) -> None:
        """Render in few steps: a distilled LoRA joins the large engine, with its own steps, shift and guidance.

        Call it before a profile is applied. Licence card and recipe name the file. Raises Refused (a ValueError) for a
        file that does not fit the model, and where there is no large engine.
        """
        if self.transformer is None:
            raise Refused("A few-step LoRA is for the large engine; the embedded one is fast. Leave it out.")
        if self.few_steps:
            raise Refused("{name} is in use already. Open the pipeline again.", name=Path(self.few_steps.file).name)
        self._undo_few_steps = attach_few_steps(self.transformer, few)
        self.few_steps = few
        self.register_modules(scheduler=type(self.scheduler).from_config(self.scheduler.config, flow_shift=few.shift))
        self.engine.use_few_steps(few, self.scheduler, few_steps_entry(few))

    def save_pretrained(self, save_directory: str | os.PathLike, **kwargs) -> None:
        """As in diffusers. A LoRA that is attached is kept beside the transformer, not mixed into its weights.

        One for few steps is not kept: it is a setting, as a profile is. The entries of the licence card are kept.
        """
        folder = Path(save_directory)
        with saved_beside(self.transformer, folder, self.few_steps, self._undo_few_steps):
            super().save_pretrained(save_directory, **kwargs)
            if weights := self.engine.facts.weights[: -1 if self.few_steps else None]:
                with atomic_write(folder / CONVERSION) as temporary:
                    temporary.write_text(json.dumps({"weights": weights}, indent=1))
