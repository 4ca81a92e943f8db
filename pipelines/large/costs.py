"""What a large model costs, which profile (profiles.py) fits into a GPU, and the least time that a chunk takes there.

Costs are counted from configurations alone (counting.py). What CUDA itself and a fragmented allocator take is CONTEXT,
a guess. Work is counted as operations and as bytes that go over the bus; what these take at a card's full speed is the
least that a chunk can take. Until a GPU has measured them, all of this is estimated.
"""

from dataclasses import dataclass, field

from pipelines.large.profiles import PROFILES, Profile, ProfileError, is_available, suits

GIB = 2**30
CONTEXT = 1 * GIB

# Cards: operations per second in bfloat16 with float32 sums, bytes per second over the bus. NVIDIA's own figures: H100
# SXM data sheet (989 TFLOPS without sparsity, PCIe 5 x16), Ada architecture whitepaper (165, PCIe 4 x16).
CARDS = {"H100": (989e12, 64e9), "RTX 4090": (165e12, 32e9)}


@dataclass(frozen=True)
class Costs:
    """Bytes of a model's parts: weights by part, the transformer's by storage; the largest two blocks or layers in a
    row, which are on the GPU together while they stream; and what is alive beside the weights while a part works
    ("tiles": the autoencoder on one tile). kept: the storage that the folder has. flop: operations of one chunk
    ("transformer": of all its steps; "vae", "tiles": of its decoding). passes: how often a chunk runs the transformer.
    """

    text_encoder: int
    transformer: dict[str, int]
    vae: int
    blocks: int
    layers: int
    alive: dict[str, int]
    kept: str = "bfloat16"
    flop: dict[str, float] = field(default_factory=dict)
    passes: int = 1


def needed_bytes(profile: Profile, costs: Costs) -> int:
    """VRAM at the worst moment of a clip, CONTEXT included; an estimate."""
    weights = {
        "text_encoder": costs.text_encoder,
        "transformer": costs.transformer[profile.storage],
        "vae": costs.vae,
    }
    streamed = {"layers": costs.layers, "blocks": costs.blocks}
    always = sum(size for part, size in weights.items() if getattr(profile, part) == "gpu")

    def now(part: str) -> int:
        way, alive = getattr(profile, part), costs.alive["tiles" if part == "vae" and profile.tiles else part]
        if way == "turns":  # a model goes when the next in line starts, and after the autoencoder none does
            return alive + weights[part] + (weights["vae"] if part != "vae" else 0)
        return alive + streamed.get(way, 0)

    return CONTEXT + always + max(map(now, weights))


def flop_of(profile: Profile, costs: Costs) -> float:
    """Operations of one chunk, but for its text and for what is encoded."""
    return costs.flop["transformer"] + costs.flop["tiles" if profile.tiles else "vae"]


def moved_bytes(profile: Profile, costs: Costs) -> int:
    """What goes from the computer to the GPU for a clip of one chunk and one prompt, weights that stay there aside."""
    transformer = costs.transformer[profile.storage]
    times = {"gpu": 0, "turns": 1, "layers": 1, "blocks": costs.passes}
    moved = times[profile.transformer] * transformer + times[profile.text_encoder] * costs.text_encoder
    return moved + times[profile.vae] * costs.vae


def least_seconds(profile: Profile, costs: Costs, card: str) -> float:
    """What one chunk takes at least on one of CARDS: all its work at full speed, while everything moved travels."""
    flop_per_second, bytes_per_second = CARDS[card]
    return max(flop_of(profile, costs) / flop_per_second, moved_bytes(profile, costs) / bytes_per_second)


def choose_profile(free_bytes: int, costs: Costs) -> Profile:
    """The fastest profile that fits into so much free VRAM (torch.cuda.mem_get_info()[0]).

    Raises ProfileError that says how much is missing where none does.
    """
    possible = [profile for profile in PROFILES.values() if is_available(profile) and suits(profile, costs.kept)]
    for profile in possible:
        if needed_bytes(profile, costs) <= free_bytes:
            return profile
    least = min(possible, key=lambda profile: needed_bytes(profile, costs))
    needed, free = needed_bytes(least, costs) / GIB, free_bytes / GIB
    raise ProfileError(
        "{free:.1f} GiB of GPU memory are free, and {name}, which needs least, takes about {needed:.1f} GiB: "
        "{missing:.1f} GiB are missing. Free some, or use the embedded model.",
        name=least.name,
        free=free,
        needed=needed,
        missing=needed - free,
    )
