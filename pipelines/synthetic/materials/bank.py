"""All textures of the scene generator in one mip-mapped table."""

import json
from functools import lru_cache
from pathlib import Path

import numpy as np
from PIL import Image

from pipelines.synthetic.materials import cutouts, pictures, surfaces
from pipelines.synthetic.materials.drawing import SIZE, opaque

LEVELS = SIZE.bit_length()  # from SIZE texels per side down to one
LEVEL_OFFSETS = np.cumsum([0] + [(SIZE >> level) ** 2 for level in range(LEVELS)]).astype(np.int64)

DRAWN = {  # how many of each are drawn, in this order: another order would draw other textures
    surfaces.wood: 10, surfaces.brick: 8, surfaces.tile: 10, surfaces.plaster: 12, surfaces.stone: 10,
    surfaces.fabric: 14, surfaces.ground: 5, surfaces.grass: 4, surfaces.metal: 4, surfaces.curtain: 8,
    surfaces.slats: 5, pictures.panels: 10, pictures.rug: 8, pictures.books: 8, pictures.label: 40,
    pictures.poster: 16, pictures.screen: 6, pictures.sign: 8, surfaces.facade: 14, pictures.sky: 16,
    pictures.skyline: 12, cutouts.leaves: 12, cutouts.blades: 10, cutouts.crown: 10, cutouts.person: 14,
    cutouts.railing: 6,
}  # fmt: skip
CUTOUTS = {"leaves", "blades", "crown", "person", "railing", "cutout"}


class TextureBank:
    """All textures, mip-mapped, in one (M, 4) uint8 table: colour stored with gamma 2 (linear = square), alpha last.

    kinds: name of a kind -> indices of its textures; assets add to kinds that the generator also draws, so a scene
    asks for "wood" and gets either. aspect: width / height of what the square texture shows. mean: linear colour.
    """

    def __init__(self, assets=None, seed=1):
        rng = np.random.default_rng(seed)
        self.kinds, self._mips, self.aspect, self.mean = {}, [], [], []
        for draw, count in DRAWN.items():
            for _ in range(count):
                self._add(draw.__name__, draw(rng), 0.5 if draw is cutouts.person else 1.0)
        if assets is not None:
            self._read(Path(assets))
        else:
            self.kinds["picture"] = self.kinds["poster"] + self.kinds["skyline"]
        self.kinds.setdefault("cutout", self.kinds["person"])
        self.base = np.arange(len(self._mips), dtype=np.int64) * LEVEL_OFFSETS[-1]
        self.texels = np.concatenate([level.reshape(-1, 4) for mips in self._mips for level in mips])
        self.alpha = {i: [level[..., 3] > 127 for level in self._mips[i]] for k in CUTOUTS for i in self.kinds[k]}
        self.aspect, self.mean = np.array(self.aspect, np.float32), np.array(self.mean, np.float32)
        self.grey = self.mean.mean(1)
        self._mips = None

    def _add(self, kind, rgba, aspect=1.0):
        rgba = np.clip(rgba, 0, 1).astype(np.float32)
        if kind in CUTOUTS:  # colour bleeds into the hole, so that filtering an edge does not darken it
            weight = rgba[..., 3:] + 1e-3
            fill = (rgba[..., :3] * weight).sum((0, 1)) / weight.sum()
            rgba[..., :3] = rgba[..., :3] * rgba[..., 3:] + fill * (1 - rgba[..., 3:])
        linear, mips = np.concatenate([rgba[..., :3] ** 2, rgba[..., 3:]], -1), []
        self.mean.append(linear.reshape(-1, 4).mean(0)[:3])
        for _ in range(LEVELS):
            stored = np.concatenate([np.sqrt(linear[..., :3]), linear[..., 3:]], -1)
            mips.append((stored * 255 + 0.5).astype(np.uint8))
            n = len(linear) // 2
            if n:
                rows = linear[0::2] + linear[1::2]
                linear = (rows[:, 0::2] + rows[:, 1::2]) / 4
        self.kinds.setdefault(kind, []).append(len(self._mips))
        self._mips.append(mips)
        self.aspect.append(aspect)

    def _read(self, folder):
        for name in ("textures", "pictures"):
            files = sorted(
                p for p in (folder / name).glob("*") if p.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")
            )
            if not files:
                raise FileNotFoundError(f"assets={folder} has no images in {name}/. Put jpg or png files there.")
            listed = folder / "textures" / "textures.json"
            material = {e["file"]: e["material"] for e in json.loads(listed.read_text())} if listed.exists() else {}
            for file in files:
                image = Image.open(file).convert("RGB")
                rgba = opaque(np.asarray(image.resize((SIZE, SIZE), Image.LANCZOS), np.float32) / 255)
                kind = material.get(file.name, file.stem.split("_")[0]) if name == "textures" else "picture"
                self._add(kind, rgba, image.width / image.height)
                if name == "pictures" and (cut := cutouts.object_cutout(image)):
                    self._add("cutout", *cut)
        rename = {"concrete": "stone", "carpet": "fabric", "paint": "plaster", "wallpaper": "plaster"}
        for old, new in rename.items():
            self.kinds[new] = self.kinds.get(new, []) + self.kinds.get(old, [])


@lru_cache(maxsize=2)
def texture_bank(assets=None):
    """The bank for an assets folder (holding textures/ and pictures/), or the drawn textures alone; built once."""
    return TextureBank(assets)
