"""A picture as somebody brings it, what is in it that is no view of a place, and the photo that it is made into."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from pipelines.errors import Refused, Sentence
from pipelines.media.photos import alpha_of, open_photo, read_focal
from pipelines.photo.bars import Bars, find_bars
from pipelines.photo.panorama import FOCAL_35MM, Panorama, find_panorama


@dataclass(frozen=True)
class Picture:
    """image: RGB, as `open_photo` gives it. focal_35mm: see `read_focal`. bars, panorama: None where it has or is none.
    remarks: what a person should know of how the file was read.

    `without_bars` and `flat_view` make the photo of it that a clip should be of.
    """

    image: Image.Image
    focal_35mm: float | None = None
    bars: Bars | None = None
    panorama: Panorama | None = None
    remarks: tuple[Sentence, ...] = ()

    def without_bars(self) -> "Picture":
        """The photo between the bars. What its file says of the lens is about that: bars are laid around later."""
        if self.bars is None:
            raise Refused("There are no bars at the rims of this picture. Use it as it is.")
        box = self.bars.box(*self.image.size)
        image = self.image.crop(box)
        if (alpha := alpha_of(self.image)) is not None:
            image.info["alpha"] = alpha.crop(box)
        return Picture(image, self.focal_35mm, remarks=self.remarks)

    def flat_view(self, yaw: float, pitch: float) -> "Picture":
        """The photo that a camera would have taken there, and its lens; see `Panorama.flat_view`."""
        if self.panorama is None:
            raise Refused("This picture is no panorama of 360 degrees all around. Use it as it is.")
        return Picture(self.panorama.flat_view(yaw, pitch), FOCAL_35MM, remarks=self.remarks)


def open_picture(path: str | Path) -> Picture:
    """An image file, and what is found in it. Raises PhotoError, see `open_photo`."""
    remarks: list[Sentence] = []
    image = open_photo(path, remarks.append)
    panorama = find_panorama(path, image)
    bars = find_bars(image) if panorama is None else None
    return Picture(image, read_focal(path), bars, panorama, tuple(remarks))
