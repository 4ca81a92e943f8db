"""What the page remembers of one visit: its photo, what is shown, its last clip, and the files of these."""

import contextlib
import secrets
import shutil
import threading
import time
import weakref
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from gradio.utils import get_upload_folder
from PIL import Image

from pipelines.errors import Sentence
from pipelines.photo.picture import Picture
from studio.download import Clip
from studio.job import Job
from studio.order import Order

if TYPE_CHECKING:
    from pipelines.photo.lifted import Lifted  # brings torch

KEPT_PICTURES = 40  # two seconds of the fastest render: a slow browser still fetches them
KEPT_LIFTS = 3  # for previews: the whole photo, and as close as two moves want it
LEFTOVER_SECONDS = 24 * 3600  # no visit lasts so long


class Lifts:
    """One photo seen in 3D, in the framings that were used last: previews, and one at the size of a clip."""

    def __init__(self):
        self._small: OrderedDict[tuple, Lifted] = OrderedDict()
        self._large: tuple[tuple, Lifted] | None = None

    def get(
        self, depth: str | None, size: tuple[int, int], framing: tuple, make: "Callable[[Lifted | None], Lifted]"
    ) -> "Lifted":
        """The photo with `depth`'s estimator for a preview of (height, width) pixels; make(like) if it is not kept.

        framing: what else tells one from another. like: one of the same estimator and size, whose depth spares
        measuring it again; None if none is kept.
        """
        key = depth, size, framing
        if key not in self._small:
            self._small[key] = make(self._like(key))
            while len(self._small) > KEPT_LIFTS:
                self._small.popitem(last=False)
        self._small.move_to_end(key)
        return self._small[key]

    def get_large(
        self, depth: str | None, size: tuple[int, int], framing: tuple, make: "Callable[[Lifted | None], Lifted]"
    ) -> "Lifted":
        """The same for a clip; only the last one is kept."""
        key = depth, size, framing
        if key in self._small:
            return self._small[key]
        if self._large is None or self._large[0] != key:
            self._large = key, make(self._like(key))
        return self._large[1]

    def _like(self, key: tuple) -> "Lifted | None":
        kept = [*self._small.items(), *filter(None, [self._large])]
        return next((lifted for other, lifted in kept if other[:2] == key[:2]), None)

    def drop_large(self) -> None:
        self._large = None


@dataclass
class Take:
    """One render while it runs: what is ready, and whether it has ended. recipe: of the whole clip. alpha, backdrop: as
    in `DoneEvent`, where a transparent file is ordered."""

    order: Order
    recipe: dict = field(default_factory=dict)
    frames: list[np.ndarray] = field(default_factory=list)
    coverage: list[np.ndarray] = field(default_factory=list)
    alpha: list[np.ndarray] = field(default_factory=list)
    backdrop: np.ndarray | None = None
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def num_frames(self) -> int:
        return sum(len(chunk) for chunk in self.frames)

    def release(self) -> None:
        """Let go of the frames, hundreds of megabytes: they are in a file, or nobody will ask for them."""
        for parts in (self.frames, self.coverage, self.alpha):
            parts.clear()


@dataclass(frozen=True)
class Measured:
    """What the photo-backed strip shows of the last preview or clip.

    coverage: (T,) share of every frame that comes from the photo, 0..1. torn: the largest share of a frame that opens
    between near and far. calm_seconds: the length at which a path that is too fast would be calm, None where it is.
    zoom: how much closer than the photo the frame is. product: "cropped" where the format cuts a product off,
    "cut" where the camera does, "kept" where the move is shortened so that it does not.
    """

    coverage: np.ndarray
    torn: float = 0.0
    calm_seconds: int | None = None
    zoom: float = 1.0
    product: str | None = None


class Session:
    """One visit: its photo, its last clip, and a folder with a name that cannot be guessed.

    Gradio copies the initial value of a State for every visitor; copying a session therefore makes a new one. Several
    pages may hold one, one after the other (see `studio.visits`): it goes, with its files, when none does any more.
    """

    def __init__(self):
        self.key = secrets.token_urlsafe(16)  # whoever has it is shown this visit
        self.left_at: float | None = None  # when the last page that showed it was gone, by time.monotonic()
        self.lock = threading.Lock()  # of the job: of two equal clicks one starts it
        self.job: Job | None = None  # the last render that was ordered
        self.photo: Image.Image | None = None
        self.photo_id = ""  # a new one for every photo
        self.focal_35mm: float | None = None
        self.picture: Picture | None = None  # as it came; `photo` is what is used of it
        self.used: dict = {}  # how: {} as it came, {"cut_bars": [left, top, right, bottom]} or {"yaw", "pitch"}
        self.remarks: tuple[Sentence, ...] = ()  # what is to be said of how the photo's file was read
        self.lifts = Lifts()  # of the present photo
        self.take: Take | None = None
        self.clip: Clip | None = None
        self.shown: dict = {"kind": "empty"}  # the picture on the stage
        self.measured: Measured | None = None
        self.looked_at: tuple | None = None  # what the last preview was of
        self.newest: dict[str, int] = {}  # sequence of handlers -> number of its newest call
        self.can_be_clear = False  # the last preview was of a product that may be cut out of its backdrop
        self.drawing = False  # the editor is in front of the picture
        self.drawn = False  # the picture is of a path of the editor
        self.place: dict | None = None  # what the editor shows, see studio.editor
        self._place_key: tuple | None = None
        self._folder: Path | None = None
        self._passing: deque[Path] = deque()

    def __deepcopy__(self, memo) -> "Session":
        return Session()

    @property
    def folder(self) -> Path:
        if self._folder is None:
            visits = Path(get_upload_folder()) / "studio"
            sweep(visits)
            self._folder = visits / secrets.token_urlsafe(16)
            self._folder.mkdir(parents=True, mode=0o700)
            # also where nobody calls `close`: no page holds the visit any more, or the server stops
            self._remove = weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder

    def new_file(self, suffix: str) -> Path:
        return self.folder / f"{secrets.token_hex(6)}{suffix}"

    def bring(self, picture: Picture) -> None:
        """A new picture: as it came, it is the photo."""
        self.picture = picture
        self.use(picture, {})

    def use(self, made: Picture, how: dict) -> None:
        """The photo is what was made of the picture that came. how: see `used`."""
        self.used = how
        self.set_photo(made.image, made.focal_35mm, made.remarks)

    def set_photo(self, photo: Image.Image, focal_35mm: float | None, remarks: tuple[Sentence, ...] = ()) -> None:
        self.photo, self.focal_35mm, self.remarks = photo, focal_35mm, remarks
        self.photo_id = secrets.token_hex(4)
        self.keep(None)
        self.measured, self.drawn, self.can_be_clear = None, False, False
        self.lifts = Lifts()  # what is being lifted now keeps the old one
        self._place_key = None

    def keep(self, clip: Clip | None) -> None:
        """The clip that the page offers. The one before it goes: nothing leads to its files any more."""
        if self.clip is not None:
            shutil.rmtree(self.clip.video.parent, ignore_errors=True)
        self.clip = clip

    def show(self, kind: str, file: Path, height: int, width: int) -> None:
        """kind: "photo", "preview", "live" or "clip"."""
        if kind != "clip":  # what only passes by is dropped once the browser has surely moved on
            self._passing.append(file)
            if len(self._passing) > KEPT_PICTURES:
                self._passing.popleft().unlink(missing_ok=True)
        self.shown = {"kind": kind, "file": str(file), "height": height, "width": width}

    def set_place(self, key: tuple, make: Callable[[Path], dict]) -> None:
        """The place that the editor shows: what make(file) gives, unless it is still that of `key`."""
        if key != self._place_key:
            old, file = self.place, self.new_file(".place")
            self.place, self._place_key = {**make(file), "file": str(file)}, key
            if old is not None:
                Path(old["file"]).unlink(missing_ok=True)

    @property
    def is_busy(self) -> bool:
        """A render of this visit is running."""
        return self.take is not None and not self.take.ended.is_set()

    @property
    def is_working(self) -> bool:
        """A render was ordered and is not over: it runs, or waits for its turn."""
        return self.job is not None and not self.job.is_over

    @property
    def size(self) -> int:
        """Bytes of its photo, of the picture that it was made of, and of its files."""
        files = [] if self._folder is None else [file for file in self._folder.rglob("*") if file.is_file()]
        picture = self.picture
        images = {id(image): image for image in (self.photo, picture and picture.image) if image is not None}
        if picture is not None and picture.panorama is not None:
            images[id(picture.panorama)] = picture.panorama.image
        pixels = sum(image.width * image.height for image in images.values())
        return 3 * pixels + sum(file.stat().st_size for file in files)

    def close(self) -> None:
        """The visit is over: nothing of it stays, on disk or in memory."""
        self.photo, self.picture, self.clip, self.job, self.take = None, None, None, None, None
        self.shown, self.measured, self.looked_at, self.lifts = {"kind": "empty"}, None, None, Lifts()
        self.place, self._place_key, self.drawing = None, None, False
        self._passing.clear()
        if self._folder is not None:
            self._remove()
            self._folder = None


def sweep(visits: Path) -> None:
    """Drop what servers that were killed have left of visits."""
    for folder in visits.glob("*"):
        with contextlib.suppress(OSError):  # another server may sweep as well
            if time.time() - folder.stat().st_mtime > LEFTOVER_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)
