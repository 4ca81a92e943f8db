"""Renders the example photos from the project's own scene generator: `python -m studio.examples.render`.

The pictures are made, not taken: nobody's rights and nobody's rooms are in them.
"""

from pathlib import Path

import numpy as np
from PIL import Image
from PIL.ExifTags import IFD, Base

from pipelines.synthetic.paths import photo_camera
from pipelines.synthetic.render import render
from pipelines.synthetic.scenes import make_scene

# Chosen by eye: (name, family, seed). The number in front keeps their order on the page.
EXAMPLES = (
    ("1-showroom", "showroom", 102),
    ("2-kitchen", "kitchen", 105),
    ("3-vase", "kitchen", 111),
    ("4-restaurant", "restaurant", 107),
)
HEIGHT, WIDTH = 720, 1280


def main() -> None:
    for name, family, seed in EXAMPLES:
        scene = make_scene(seed, family)
        camera = photo_camera(scene, 2 * HEIGHT, 2 * WIDTH)
        rgb, _, _ = render(scene, camera)
        picture = Image.fromarray((rgb.permute(1, 2, 0).numpy() * 255).round().astype(np.uint8)).reduce(2)
        # the focal length in 35 mm terms, as a phone would write it: the studio then knows the field of view
        exif = Image.Exif()
        focal = camera.K[0, 0] * np.hypot(36, 24) / np.hypot(camera.height, camera.width)
        exif.get_ifd(IFD.Exif)[Base.FocalLengthIn35mmFilm] = round(float(focal))
        picture.save(Path(__file__).with_name(f"{name}.jpg"), quality=88, optimize=True, exif=exif)
        print(f"{name}: {family}, seed {seed}, {focal:.0f} mm")


if __name__ == "__main__":
    main()
