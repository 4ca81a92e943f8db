"""Repositories of weights whose content is known: one commit each, and the SHA-256 of its large files. No torch.

`hub.py` fetches these and nothing else unless another revision is named, so a repository that changes, or a Hub that
answers something else, changes no clip. Hashes are those that several public projects pin for the same commits.
Nobody has published those of Spatia's two files: `hub.local_folder` keeps to what it fetched first. OneFormer's commit
stands in masks/oneformer.py.
The names under which depth networks are offered, and their licences, stand here too.
"""

from dataclasses import dataclass, field

WAN = "Wan-AI/Wan2.2-TI2V-5B-Diffusers"
DEPTH_ANYTHING = "depth-anything/Depth-Anything-V2-Small-hf"
DEPTH_ANYTHING_INDOOR = "depth-anything/Depth-Anything-V2-Metric-Indoor-Small-hf"
DEPTH_ANYTHING_OUTDOOR = "depth-anything/Depth-Anything-V2-Metric-Outdoor-Small-hf"


@dataclass(frozen=True)
class Pin:
    """revision: a commit. sha256: of its large files, by their paths; a file that is not named is the Hub's word."""

    revision: str
    sha256: dict[str, str] = field(default_factory=dict)


_TEXT_ENCODER = (
    "a8e861969c7433e707cc5a74065d795d36cca07ec96eb6763eb4083df7248f58",
    "d57d948ece4837d850b7a859a4415121d57cacf8b9ee1d4db200c67f592902d7",
    "0da9ee284e21d1406df708788db1d502d95d75f69faa25cd26151bf8829b7c5f",
)
_TRANSFORMER = (
    "511bec832a201caa410d09c5ce7dbbf8ad2708c345d82038f684fc74cce982be",
    "7c42724912b1911429125dc50c0e9a49ccbada5a601b657d4ed2e15e7597c193",
    "e9c3d0c76de786566382f8258101fea973ae37681c6e9fe0e5fe1fb93b806424",
    "a331121771790939678db6f585553fd5184609f7d02593c699a4d241b0d834c5",
    "78b655685c47efdb2349f36826bb101264e9f212a16325d584aeb5f53c88e719",
)

PINS = {
    WAN: Pin(
        "b8fff7315c768468a5333511427288870b2e9635",
        {f"text_encoder/model-0000{i}-of-00003.safetensors": digest for i, digest in enumerate(_TEXT_ENCODER, 1)}
        | {
            f"transformer/diffusion_pytorch_model-0000{i}-of-00005.safetensors": digest
            for i, digest in enumerate(_TRANSFORMER, 1)
        }
        | {
            "vae/diffusion_pytorch_model.safetensors": (
                "62cd18f19438e35b32ac63020e2852f566e9b02f46b6cdbd87972a356e3c6f4b"
            )
        },
    ),
    DEPTH_ANYTHING: Pin(
        "5426e4f0f36572d16453bbda7a8389317b1bef99",
        {"model.safetensors": "3152477ce0d8d6978d76b995120de97cb5b928701fd0f817769f59e249a16b70"},
    ),
    DEPTH_ANYTHING_INDOOR: Pin(
        "8078d68a9c75a972131914f6afd0c1723be0da7f",
        {"model.safetensors": "e990eb82fbf11b05b7813261196a2b841bdcf5a05f64396724a8987fa90504a3"},
    ),
    DEPTH_ANYTHING_OUTDOOR: Pin(
        "fd2c22027eaf20374204f14099b8341e1925ad39",
        {"model.safetensors": "ad065c77a7421ca55159a1f0db9433397a607690f2d76bb8a6fc54b1be7a3124"},
    ),
}


@dataclass(frozen=True)
class DepthCheckpoint:
    """A depth network of PINS. commercial_use in the EU: "yes", "no" or "unknown"."""

    repository: str
    licence: str
    commercial_use: str

    @property
    def revision(self) -> str:
        return PINS[self.repository].revision


# The cards of the two metric ones name no licence; the project's page gives Small as Apache-2.0, and they were trained
# on Hypersim and Virtual KITTI 2, whose terms are their own.
_NO_CARD = "Apache-2.0 (project page; none on the card)"
DEPTH_CHECKPOINTS = {
    "depth-anything": DepthCheckpoint(DEPTH_ANYTHING, "Apache-2.0", "yes"),
    "depth-anything-metric-indoor": DepthCheckpoint(DEPTH_ANYTHING_INDOOR, _NO_CARD, "unknown"),
    "depth-anything-metric-outdoor": DepthCheckpoint(DEPTH_ANYTHING_OUTDOOR, _NO_CARD, "unknown"),
}
