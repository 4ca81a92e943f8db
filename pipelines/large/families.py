"""How each released family of weights wants to be fed, as data: one entry per family. No torch.

The transformer is one and the same; these are the facts around it that a checkpoint was trained with and its files do
not carry. Sources: the released code of Spatia (github.com/ZhaoJingjing713/Spatia) and of LSM-World
(github.com/microsoft/LatentSpatialMemory, commit b2cd738).
"""

import math
from dataclasses import dataclass

from pipelines.errors import Refused

SEGMENTS = ("references", "targets", "preceding")  # of the sequence that the transformer sees
DEFAULT_LAYOUT = "spatia"  # the one family whose weights are public
# Where a converted folder keeps the LoRA, and its name as an adapter.
LORA, LORA_FOLDER, LORA_FILE = "released", "transformer_lora", "pytorch_lora_weights.safetensors"
FEW_STEPS = "few-steps"  # the adapter of a distilled LoRA

# Wan2.2-TI2V-5B beside its transformer, whose sizes are the defaults of `MirageTransformer3DModel`.
WAN_VAE = dict(
    base_dim=160,
    decoder_base_dim=256,
    z_dim=48,
    dim_mult=[1, 2, 4, 4],
    temperal_downsample=[False, True, True],
    is_residual=True,
    in_channels=12,
    out_channels=12,
    patch_size=2,
    scale_factor_spatial=16,
)
WAN_TEXT_ENCODER = dict(
    vocab_size=256384, d_model=4096, d_kv=64, d_ff=10240, num_layers=24, num_heads=64, feed_forward_proj="gated-gelu"
)
LORA_RANK = 32  # of both families' files

# Wan's own, in the language its text encoder was trained on.
WAN_NEGATIVE_PROMPT = (
    "色调艳丽，过曝，静态，细节模糊不清，字幕，风格，作品，画作，画面，静止，整体发灰，最差质量，低质量，JPEG压缩残留，"
    "丑陋的，残缺的，多余的手指，画得不好的手部，画得不好的脸部，畸形的，毁容的，形态畸形的肢体，手指融合，静止不动的画面，"
    "杂乱的背景，三条腿，背景人很多，倒着走"
)


@dataclass(frozen=True)
class Layout:
    """Facts of one family. Frames are of the clip; a latent holds `latent_frames` of them, the very first only one.

    Chunks: first_frames, then next_frames, of which the first overlap_frames were made before; they stand clean in
    front of the targets. The sequence of a chunk also holds num_references single pictures and num_preceding latents
    (those before the overlap).
    """

    name: str
    licence: str  # of the control branch and the LoRA
    control_blocks: int  # of the released file: to recognise it by; the model takes what the file holds
    commercial_use: str = "unknown"  # of branch and LoRA, in the EU: "yes", "no" or "unknown"

    # Chunks and the sequence
    first_frames: int = 33
    next_frames: int = 33
    overlap_frames: int = 1
    num_references: int = 4
    num_preceding: int = 0
    segment_order: tuple[str, ...] = SEGMENTS
    reference_offset: tuple[int, int, int] = (-1, 1, 0)  # in extents of the references: times -R..-1, rows h..2h-1
    latent_frames: int = 4

    # Control
    readout: str = "latent"  # "latent": the memory's tokens; "pixel": its colours, rendered and encoded as a video
    cell_centre: float = 0.5  # where in its cell a token's ray passes when it is lifted and read; 0: left and above
    second_half: str = "ones"  # of the control input: "ones", a white video; "holes", a video 1 where nothing is known
    lora_from_chunk: int = 0  # the LoRA is on from this chunk on, 0 the first

    # Picture and sampling
    fps: int = 16
    height: int = 704
    width: int = 1280
    num_inference_steps: int = 20
    shift: float = 5.0
    max_sigma: float = 0.999
    guidance_scale: float = 1.0
    negative_prompt: str = ""
    prompt_suffix: str = ""
    joint_decode: bool = True  # one decode of all latents; False: every chunk alone

    @property
    def overlap_latents(self) -> int:
        """Clean latents in front of a later chunk's targets."""
        return 1 + (self.overlap_frames - 1) // self.latent_frames


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout(
            name="spatia",
            licence="Apache-2.0 (code; none stated for the weights)",
            control_blocks=8,
            first_frames=121,
            next_frames=81,
            overlap_frames=9,
            num_references=7,
            readout="pixel",
            second_half="holes",
            lora_from_chunk=1,
            fps=24,
            width=1248,
            num_inference_steps=40,
            guidance_scale=3.5,
            negative_prompt=WAN_NEGATIVE_PROMPT,
            prompt_suffix="4K, realistic, high quality, HDR.",
        ),
        Layout(
            name="lsm-world",
            licence="MIT (code; weights are not published)",
            control_blocks=15,
            num_preceding=2,
            cell_centre=0.0,
            joint_decode=False,
        ),
    )
}


@dataclass(frozen=True)
class FewSteps:
    """A LoRA that was distilled for few steps, and how it is sampled, in place of what the layout says.

    file: safetensors, here or on the Hub (team/name/FILE). strength: of the LoRA; alpha: where the file does not say it
    (None: its rank). The defaults are those of what was distilled from Wan2.2-TI2V-5B to four steps without guidance;
    its own card knows better. Raises Refused (a ValueError) for numbers that are not positive.
    """

    file: str
    strength: float = 1.0
    steps: int = 4
    shift: float = 5.0
    guidance: float = 1.0
    alpha: float | None = None
    licence: str = "unknown"
    commercial_use: str = "unknown"  # in the EU

    def __post_init__(self):
        if not is_positive(self.steps) or self.steps != int(self.steps):
            raise Refused(
                "steps={value} must be a whole number from 1. Use {usual}.", value=self.steps, usual=FewSteps.steps
            )
        for name in ("strength", "shift", "guidance"):
            value, usual = getattr(self, name), getattr(FewSteps, name)
            if not is_positive(value):
                raise Refused(
                    "{name}={value} must be a positive number. Use {usual}.", name=name, value=value, usual=usual
                )
        if self.alpha is not None and not is_positive(self.alpha):
            raise Refused("alpha={value} must be a positive number. Use the rank of its file.", value=self.alpha)
        object.__setattr__(self, "steps", int(self.steps))


def is_positive(value: object) -> bool:
    return isinstance(value, int | float) and 0 < value < math.inf


def layout_named(name: str) -> Layout:
    """The layout of this name. Raises Refused (a ValueError) for one that is not known."""
    if name not in LAYOUTS:
        raise Refused("layout {name!r} is unknown. Use one of {known}.", name=name, known=", ".join(LAYOUTS))
    return LAYOUTS[name]


def layout_of(control_blocks: int) -> Layout:
    """The family whose released file has so many control blocks. Raises Refused (a ValueError) where none has."""
    layout = layout_like(control_blocks)
    if layout.control_blocks == control_blocks:
        return layout
    known = ", ".join(f"{layout.name} ({layout.control_blocks})" for layout in LAYOUTS.values())
    raise Refused(
        "No known layout has {blocks} control blocks; known are {known}. Name one with --layout.",
        blocks=control_blocks,
        known=known,
    )


def spread_evenly(blocks: int, layers: int) -> tuple[int, ...]:
    """The layers that so many control blocks steer, where no configuration says which: every n-th from 0 on."""
    return tuple(range(0, layers, math.ceil(layers / blocks))) if blocks else ()


def layout_like(control_blocks: int) -> Layout:
    """As `layout_of`, but the default where no family has so many; the stock model has none at all."""
    alike = (layout for layout in LAYOUTS.values() if layout.control_blocks == control_blocks)
    return next(alike, LAYOUTS[DEFAULT_LAYOUT])
