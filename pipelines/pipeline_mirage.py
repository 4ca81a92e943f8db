"""`MiragePipeline`: one photo and a camera path become a clip in which the place stays itself.

photo -> tokens + depth -> memory; then chunk by chunk: read the memory at the cameras, generate what nobody has seen,
write it back, decode. The loop is the same for every engine (pipelines/engines/base.py).
"""

import json
import math
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline, ModelMixin
from diffusers.schedulers import SchedulerMixin
from diffusers.utils import BaseOutput
from PIL import Image
from safetensors import SafetensorError

from pipelines.cameras import Camera, Trajectory
from pipelines.depth import DepthEstimator, depth_estimator
from pipelines.depth.edges import grow_near
from pipelines.depth.embedded import DepthNet, EmbeddedDepth
from pipelines.engines.autoencoder import FineAutoencoder
from pipelines.engines.base import Engine, chunks_of
from pipelines.engines.embedded import EmbeddedEngine
from pipelines.errors import Refused
from pipelines.events import ChunkEvent, DoneEvent, LoopScore, StepEvent, timed
from pipelines.files import read_json
from pipelines.inputs import check_array, check_inputs, check_size
from pipelines.large.families import (
    FEW_STEPS,
    LORA,
    LORA_FILE,
    LORA_FOLDER,
    FewSteps,
    layout_like,
    layout_named,
)
from pipelines.large.lora import add_lora
from pipelines.large.lora_files import read_lora
from pipelines.memory import LatentMemory
from pipelines.memory.surfaces import settle
from pipelines.metrics import psnr, ssim
from pipelines.photo import outlook, strength
from pipelines.photo.drift import colour_change
from pipelines.photo.frame import DEFAULT_FOV, beyond, check_focus, check_zoom, covering, frame_camera
from pipelines.photo.lifted import Lifted, photo_sha256, subject_distance
from pipelines.photo.measured import given_depth, measure
from pipelines.recipe import recipe_of
from pipelines.weights.conversion import CONVERSION
from pipelines.weights.hub import HUB_OPTIONS, local_file, local_folder
from pipelines.weights.licences import engine_weights, transformer_weights
from pipelines.weights.shipped import EMBEDDED_FOLDER
from pipelines.weights.tensors import check_parts, read_tensors

PARTS = ("encode", "depth", "memory_write", "memory_readout", "denoise", "decode")  # of a render's time
# How far colours of near things reach over an outline, as a share of the long side; estimated depth adds its own error.
OUTLINE, ESTIMATED_OUTLINE = 1 / 480, 1 / 150
PIXELS_PER_READOUT = 2_100_000  # one 1920x1080 frame; bounds the memory of a decode


@dataclass
class MirageOutput(BaseOutput):
    """frames (T, H, W, 3) uint8, memory, coverage (T,) 0..1, loop (closed, psnr in dB, ssim), drift in 1/255,
    seconds per part, recipe: see DoneEvent."""

    frames: np.ndarray
    memory: LatentMemory
    coverage: np.ndarray
    loop: LoopScore
    drift: float
    seconds: dict
    recipe: dict


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

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path, **kwargs) -> "MiragePipeline":
        """Open a folder that `save_pretrained` or `python -m pipelines convert` wrote, or such a repository.

        A stock Wan2.2-TI2V-5B-Diffusers folder opens too: without a control branch, so the memory does not steer it,
        unless `transformer`, or the released files `control` and `lora` (with `lora_alpha`, `layout`: see `convert`)
        are given. Where nothing names a layout the number of control blocks does. A LoRA in the folder is attached.
        depth: a DepthNet, a DepthEstimator or the name of one, see pipelines.depth.depth_estimator. Other arguments as
        in diffusers.
        """
        estimator = None
        if not isinstance(kwargs.get("depth"), DepthNet):
            estimator = kwargs.pop("depth", None)
            if isinstance(estimator, str | Path):  # first, since a wrong name is told at once
                estimator = depth_estimator(estimator)
        options = {name: kwargs[name] for name in HUB_OPTIONS if name in kwargs}
        folder = local_folder(pretrained_model_name_or_path, **options)
        index = read_json(folder / cls.config_name)
        if layout := kwargs.get("layout") or index.get("layout"):
            layout_named(layout)
        transformer = check_parts(folder, index, kwargs).get("transformer", kwargs.get("transformer"))
        if transformer is not None and (folder / LORA_FOLDER).is_dir():
            read_lora(folder / LORA_FOLDER, transformer)
        weights = engine_weights(folder, pretrained_model_name_or_path)
        released = {name: kwargs.pop(name) for name in ("control", "lora", "lora_alpha") if name in kwargs}
        if index.get("transformer"):
            # diffusers only loads classes of ours that are imported already
            from pipelines.large.convert import assembled
            from pipelines.large.denoising import scheduler_of
            from pipelines.large.released import transformer_from_folder
            from pipelines.weights.gguf_kinds import kind_of

            dtype = kwargs.get("dtype", kwargs.get("torch_dtype"))
            dtype = dtype.get("transformer", dtype.get("default")) if isinstance(dtype, dict) else dtype
            kind = kind_of(folder / "transformer")
            if released:
                name = str(pretrained_model_name_or_path)
                name = None if Path(name).is_dir() else name.partition("@")[0]
                options.pop("revision", None)  # that of the folder
                asked = {**released, "layout": kwargs.get("layout"), "dtype": dtype, "base_name": name}
                model, layout, report = assembled(folder, **asked, **options)
                kwargs |= {"transformer": model, "layout": layout.name, "scheduler": scheduler_of(layout)}
                weights = tuple(report["weights"])
            elif kwargs.get("transformer") is not None:
                weights += tuple(x for x in transformer_weights(kwargs["transformer"]) if x not in weights)
            elif "transformer" not in kwargs and (index["transformer"][0] == "diffusers" or kind):
                kwargs["transformer"] = transformer_from_folder(folder / "transformer", dtype)
        kwargs.setdefault("use_safetensors", True)  # diffusers would take a pickle where there is nothing else
        try:
            pipe = super().from_pretrained(folder, **kwargs)
            pipe._attach_lora(folder)
        except (SafetensorError, json.JSONDecodeError) as error:
            raise Refused(
                "A file in {folder} cannot be read ({error}). Fetch or convert it again.", folder=folder, error=error
            ) from error
        pipe.engine.facts = replace(pipe.engine.facts, weights=weights)
        if estimator is not None:
            pipe.engine.depth_estimator = estimator
        return pipe

    def to(self, *args, **kwargs) -> "MiragePipeline":
        """As in diffusers; a depth estimator and a mask that can follow to the device do so."""
        super().to(*args, **kwargs)
        device = kwargs.get("device", args[0] if args else None)
        if device is not None and not isinstance(device, torch.dtype):
            self.take_along(torch.device(device))
        return self

    def take_along(self, device: str | torch.device) -> None:
        """Move what is no component of the pipeline but works for it: the depth estimator and the mask."""
        for part in (self.engine.depth_estimator, getattr(self.engine, "mask", None)):
            if callable(move := getattr(part, "to", None)):
                move(device)

    def use_few_steps(self, few: FewSteps) -> None:
        """Render in few steps: a distilled LoRA joins the large engine, with its own steps, shift and guidance.

        Before a profile is applied. The licence card and the recipe tell it. Raises ValueError for a file that does not
        fit the model, and where there is no large engine.
        """
        from pipelines.weights.licences import file_entry

        file = local_file(few.file)
        if self.transformer is None:
            raise ValueError("A few-step LoRA is for the large engine; the embedded one is fast. Leave it out.")
        if self.few_steps:
            raise ValueError(f"{Path(self.few_steps.file).name} is in use already. Open the pipeline again.")
        self._attach_few_steps(few)
        self.register_modules(scheduler=type(self.scheduler).from_config(self.scheduler.config, flow_shift=few.shift))
        told = {name: value for name, value in asdict(few).items() if name != "file" and value is not None}
        self.engine.use_few_steps(few, self.scheduler, {**file_entry(file, few.file), **told})

    def _attach_few_steps(self, few: FewSteps) -> None:
        tensors = read_tensors(local_file(few.file))
        self._undo_few_steps = add_lora(self.transformer, tensors, few.alpha, FEW_STEPS, few.strength)
        self.few_steps = few

    def save_pretrained(self, save_directory: str | os.PathLike, **kwargs) -> None:
        """As in diffusers. A LoRA that is attached is kept beside the transformer, not mixed into its weights.

        One for few steps is not kept: it is a setting, as a profile is. What the licence card tells is kept too.
        """
        adapters = dict(getattr(self.transformer, "peft_config", {}))
        if LORA in adapters:
            folder = Path(save_directory) / LORA_FOLDER
            self.transformer.save_lora_adapter(folder, adapter_name=LORA, weight_name=LORA_FILE)
        if adapters:
            self.transformer.unload_lora()
        if FEW_STEPS in adapters:
            self._undo_few_steps()
        try:
            super().save_pretrained(save_directory, **kwargs)
            if weights := self.engine.facts.weights[: -1 if self.few_steps else None]:
                (Path(save_directory) / CONVERSION).write_text(json.dumps({"weights": weights}, indent=1))
        finally:
            if LORA in adapters:
                self._attach_lora(Path(save_directory))
            if FEW_STEPS in adapters:
                self._attach_few_steps(self.few_steps)

    def _attach_lora(self, folder: Path) -> None:
        if (folder / LORA_FOLDER).is_dir():
            tensors, settings = read_lora(folder / LORA_FOLDER, self.transformer)
            self.transformer.load_lora_adapter(tensors, prefix=None, adapter_name=LORA, metadata=settings)

    @classmethod
    def embedded(cls, depth: "str | Path | DepthEstimator | None" = None) -> "MiragePipeline":
        """The small engine that ships with the project; needs no network and no GPU, but for another depth estimator.

        depth: as in `from_pretrained`, for example "depth-anything"; None: the one that ships too.
        """
        return cls.from_pretrained(EMBEDDED_FOLDER, **({} if depth is None else {"depth": depth}))

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
        callback_on_step_end: "Callable[[MiragePipeline, int, float | None, dict], Any] | None" = None,
    ) -> MirageOutput:
        """Render a whole clip; see `stream` for the arguments.

        callback_on_step_end(pipe, step, timestep, callback_kwargs) is called after every denoising step, as in
        diffusers: step counts from 0 in each run of the engine, timestep is the scheduler's, None for an engine without
        one. It is a place to watch and to stop, not to steer: callback_kwargs is empty, what it returns is ignored.
        After `pipe._interrupt = True` the clip ends with the chunks that are complete; what it raises ends the render.
        """
        for event in self.stream(image, trajectory, prompt, seed, memory, depth, quality, focus, zoom, estimator):
            if callback_on_step_end is not None and isinstance(event, StepEvent) and event.stage == "denoise":
                callback_on_step_end(self, event.step - 1, event.timestep, {})
        return MirageOutput(
            event.frames, event.memory, event.coverage, event.loop, event.drift, event.seconds, event.recipe
        )

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
    ) -> Iterator[StepEvent | ChunkEvent | DoneEvent]:
        """Render, telling what happens as it happens. Closing the iterator stops the work within one step.

        image: RGB photo (PIL, or (H, W, 3) uint8), a `Lifted` one, or None to go on in `memory` alone; trajectory[0]
        sees a frame of it in the trajectory's shape, as in `lift`. memory: a world to start in; it is not changed.
        depth, estimator, focus, zoom: of a photo, as in `lift`; a `Lifted` one has its own. quality: "draft" or
        "standard". Equal arguments give equal bits on one machine. Raises Refused (a ValueError) before any work for
        input that cannot be rendered.
        """
        self.check_inputs(image, trajectory, prompt, seed, memory, depth, quality, focus, zoom)
        return self._stream(image, trajectory, prompt, seed, memory, depth, quality, focus, zoom, estimator)

    def check_inputs(self, image, trajectory, prompt, seed, memory, depth, quality, focus=0.5, zoom=1.0) -> None:
        check_inputs(self.engine.facts, image, trajectory, prompt, seed, memory, depth, quality, focus, zoom)

    def _stream(self, *arguments):
        try:
            yield from self._render(*arguments)
        finally:  # also where it is closed early, or fails
            self.maybe_free_model_hooks()

    def _render(self, image, trajectory, prompt, seed, memory, depth, quality, focus, zoom, estimator):
        facts, started = self.engine.facts, time.perf_counter()
        seconds = defaultdict(float, dict.fromkeys(PARTS, 0.0))
        chunks, num_ready = chunks_of(facts, len(trajectory)), 0
        self._interrupt = False

        # 1. The photo becomes tokens with depth, and the memory knows it.
        lifted = image if isinstance(image, Lifted) else None
        if lifted is None and image is not None:
            yield StepEvent(0, len(chunks), 0, 1, "depth")
            size, framing = (trajectory.height, trajectory.width), {"focus": focus, "zoom": zoom}
            options = {**framing, "estimator": estimator, "seconds": seconds}
            lifted = self.lift(image, *size, trajectory[0], depth, memory, **options)
        memory = (memory if lifted is None else lifted.memory).copy()
        num_known_views = len(memory.views)
        clip = self.engine.begin(trajectory, None if lifted is None else lifted.image, prompt, seed)

        frames = np.empty((len(trajectory), trajectory.height, trajectory.width, 3), np.uint8)
        backed = np.empty(len(trajectory), np.float32)
        coverage, made, drift = outlook.coverage(memory, trajectory), frozenset(), []
        grid = trajectory.height // facts.stride, trajectory.width // facts.stride
        decode_grid = trajectory.height // facts.decode_stride, trajectory.width // facts.decode_stride
        group = max(1, PIXELS_PER_READOUT // math.prod(decode_grid))
        for index, chunk in enumerate(chunks):
            # 2. Generate what the memory does not show, and remember it.
            generated = None
            while keys := self.engine.next_keys(coverage, chunk, made):
                cameras = [trajectory[t] for t in keys]
                with timed(seconds, "memory_readout"):
                    control = memory.readout(cameras, *grid)
                generated = yield from self._denoise(control, cameras, seed, quality, clip, index, len(chunks), seconds)
                if self._interrupt:
                    break
                for part, spent in generated.seconds.items():
                    seconds[part] += spent
                    seconds["denoise"] -= spent
                with timed(seconds, "memory_write"):
                    memory.write(generated.tokens, generated.depth, cameras, generated.valid, invented=True)
                made |= frozenset(keys)
                with timed(seconds, "memory_readout"):
                    coverage = outlook.coverage(memory, trajectory)
            if self._interrupt:
                break

            # 3. Read the memory at every camera of the chunk and decode.
            for start in range(chunk.start, chunk.stop, group):
                part = slice(start, min(start + group, chunk.stop))
                with timed(seconds, "memory_readout"):
                    readout = memory.readout(list(trajectory[part]), *decode_grid)
                with timed(seconds, "decode"):
                    frames[part] = self.engine.decode(readout, generated)
                from_photo = (readout.view >= 0) & (readout.view < num_known_views)
                backed[part] = from_photo.flatten(1).float().mean(dim=1).numpy()
                if lifted is not None and lifted.view is not None:
                    drift.append(colour_change(frames[part][-1], lifted.photo, readout, lifted.view))
                yield StepEvent(index, len(chunks), part.stop - chunk.start, len(chunk), "decode")
            num_ready = chunk.stop
            yield ChunkEvent(index, len(chunks), chunk.start, frames[chunk.start : chunk.stop], backed[chunk])

        # 4. What the clip is worth.
        frames, backed = frames[:num_ready], backed[:num_ready]
        loop = LoopScore(trajectory.is_closed and num_ready == len(trajectory))
        if loop.closed:
            loop = LoopScore(True, psnr(frames[0], frames[-1]), ssim(frames[0], frames[-1]))
        seconds["total"] = time.perf_counter() - started
        recipe = self.recipe(lifted, trajectory, seed, quality, prompt)
        worst = max(drift, default=0.0)
        yield DoneEvent(frames, backed, memory, loop, worst, dict(seconds), recipe)

    def _denoise(self, control, cameras, seed, quality, clip, chunk, num_chunks, seconds) -> Iterator[StepEvent]:
        """Run the engine's steps as events, returning what it generated; closing this closes the engine's run."""
        steps = self.engine.denoise(control, cameras, seed, quality, clip)
        while not self._interrupt:
            try:
                with timed(seconds, "denoise"):
                    step, num_steps, *timestep = next(steps)
            except StopIteration as done:
                return done.value
            yield StepEvent(chunk, num_chunks, step, num_steps, "denoise", *timestep)
        steps.close()

    @torch.no_grad()
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
        same middle with zoom, 1 .. MAX_ZOOM; what lies around it, as far as MARGIN, is remembered as well. camera: the
        frame's, on any grid of that shape; without one it stands at the origin with fov_degrees across the long side of
        the largest frame. focus: where the largest frame lies, 0 left or top .. 1 right or bottom. depth: z-depth of
        the whole photo, (H, W) in scene units; if None, estimator measures it, the pipeline's own if that is None too.
        like: the same photo, lifted before: its depth is taken where it is fine enough and of the same estimator.
        memory: a world the photo is added to; left unchanged. seconds: gets the time of each part, see `DoneEvent`.
        Raises Refused for a size, focus or zoom out of range, depth without a known value, or `like` of another photo.
        """
        facts, seconds = self.engine.facts, defaultdict(float) if seconds is None else seconds
        check_size(height, width, facts.size_step, facts.max_side)
        source = image if isinstance(image, Image.Image) else Image.fromarray(check_array(image))
        source = source.convert("RGB")
        sha256 = photo_sha256(source)
        if like is not None and like.sha256 != sha256:
            raise Refused("The depth of another photo does not fit this one. Lift it without `like`.")
        if camera is None:
            camera = frame_camera(source.size, height, width, fov_degrees=fov_degrees, zoom=check_zoom(zoom))
        camera = camera.resized(height, width)

        # 1. The frame, and what is kept around it.
        whole, (left, top) = covering(source, height, width, check_focus(focus), check_zoom(zoom))
        rows, columns = beyond(top, height, whole.height, facts.stride), beyond(left, width, whole.width, facts.stride)
        pixels = np.array(whole)
        photo = np.ascontiguousarray(pixels[rows, columns])
        left_in, top_in = left - columns.start, top - rows.start
        frame = slice(top_in, top_in + height), slice(left_in, left_in + width)

        # 2. Depth of the whole photo, and of what is kept.
        with timed(seconds, "depth"):
            if depth is not None:
                measured = given_depth(depth)
            else:  # it sees all of the photo
                estimator = estimator or self.engine.depth_estimator
                measured = measure(pixels, camera.shifted(left, top).K, estimator, like and like.measured)
            depth, valid = (np.ascontiguousarray(x[rows, columns]) for x in measured.on_grid(whole.height, whole.width))
            if not valid[frame].any():
                raise Refused("No depth could be found in this photo: every pixel is unknown. Give a depth map.")
            outline = max(height, width) * (OUTLINE if measured.estimator is None else ESTIMATED_OUTLINE)
            depth = settle(grow_near(depth, valid, int(outline)), valid)

        # 3. Tokens, written into the memory.
        with timed(seconds, "encode"):
            tokens = self.engine.encode(torch.from_numpy(photo).permute(2, 0, 1).float() / 255)
        with timed(seconds, "memory_write"):
            if memory is None:
                memory = LatentMemory(facts.channels, facts.interpolates, codec=facts.codec)
            else:
                memory = memory.copy()
            photo_camera = Camera(camera.shifted(left_in, top_in).K, camera.c2w, *photo.shape[:2])
            kept = slice(facts.depth_stride // 2, None, facts.depth_stride)  # the middle one: no average across edges
            report = memory.write(tokens, depth[kept, kept], photo_camera, valid[kept, kept])
        view = len(memory.views) - 1 if report.new or report.replaced else None
        return Lifted(
            source=source,
            sha256=sha256,
            measured=measured,
            photo=photo,
            photo_depth=depth,
            photo_camera=photo_camera,
            frame=frame,
            camera=camera,
            memory=memory,
            view=view,
            distance=subject_distance(depth[frame], valid[frame]),
            focus=focus,
            zoom=zoom,
        )

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
        options = prompt, focus, zoom, estimator, self.profile
        return recipe_of(self.engine, photo, trajectory, seed, quality, *options)

    def coverage(self, memory: LatentMemory, trajectory: Trajectory) -> np.ndarray:
        return outlook.coverage(memory, trajectory)

    def torn(self, memory: LatentMemory, trajectory: Trajectory) -> np.ndarray:
        return outlook.share_of(outlook.between_known(outlook.coarse_mask(memory, trajectory)))

    def preview(self, lifted: Lifted, trajectory: Trajectory, max_frames: int = 24) -> tuple[np.ndarray, np.ndarray]:
        frames = outlook.preview(self.engine, lifted, trajectory, max_frames)
        return frames, outlook.coverage(lifted.memory, trajectory)

    def gentle_strength(
        self, lifted: Lifted, path: Callable[[float], Trajectory], backed: float | None = None, at_most: float = 1.0
    ) -> float:
        return strength.gentle_strength(lifted, path, backed, at_most)

    def suited(
        self, lift: Callable[[float], Lifted], path: Callable[[Lifted, float], Trajectory]
    ) -> tuple[Lifted, float]:
        return strength.suited(lift, path)
