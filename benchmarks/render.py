"""How long a clip takes, from photo to mp4, and how much memory: python benchmarks/render.py [PHOTO] [--sizes ...]

Regime: the embedded engine on this machine's CPU, 65 frames, move there-and-back, one process per size so that peak
memory is that size's own. warm: the pipeline is loaded and has rendered once before (five frames); first_picture: until
the first chunk is there; cold: everything from the start of `python -m pipelines render`. Without PHOTO one of the
studio's examples is used. The last line of stdout is one JSON object.

--busy: instead, a draft (33 frames at 288x512, warm, the median of --repeats) on a quiet machine, and beside two other
processes that render the same over and over; the ratio should be 4 at most. --compare: the same under other settings
of how OpenMP's threads wait, see pipelines/process.py. Both need a machine that does nothing else.
"""

import argparse
import itertools
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from pipelines.process import OPENMP_WAIT  # noqa: E402

SIZES = ("288x512", "720x1280", "1080x1920")
DRAFT, DRAFT_FRAMES = "288x512", 33  # of --busy
NEIGHBOURS = 2
WAITING = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_NUM_THREADS")
SETTINGS = (
    {"GOMP_SPINCOUNT": "300000"},  # what libgomp does where nothing is set
    {"GOMP_SPINCOUNT": "30000"},
    {"GOMP_SPINCOUNT": "10000"},
    {"GOMP_SPINCOUNT": "3000"},
    {"GOMP_SPINCOUNT": "1000"},
    {"OMP_WAIT_POLICY": "PASSIVE"},
    {"OMP_NUM_THREADS": "1"},
)


def warm(photo: Path, size: str, frames: int, repeats: int = 1) -> Iterator[dict]:
    """Figures of `repeats` clips, one after the other, by one pipeline that has rendered before; 0: without an end."""
    from pipelines.process import prepare_process

    prepare_process()  # as the commands and the studio do
    import torch

    from pipelines import MiragePipeline, move
    from pipelines.media.photos import open_photo

    pipe = MiragePipeline.embedded()
    lifted = pipe.lift(open_photo(photo), 72, 128)
    pipe(lifted, move("there-and-back", lifted.camera, distance=lifted.distance, frames=5))
    for _ in range(repeats) if repeats else itertools.count():
        yield {**clip(pipe, photo, *map(int, size.split("x")), frames), "threads": torch.get_num_threads()}


def clip(pipe, photo: Path, height: int, width: int, frames: int) -> dict:
    """Figures of one clip, from opening the photo to the mp4."""
    from pipelines import ChunkEvent, move
    from pipelines.media.clips import write_mp4
    from pipelines.media.photos import open_photo

    start, first_picture = time.perf_counter(), None
    lifted = pipe.lift(open_photo(photo), height, width)
    path = move("there-and-back", lifted.camera, distance=lifted.distance, frames=frames)
    for event in pipe.stream(lifted, path):
        if first_picture is None and isinstance(event, ChunkEvent):
            first_picture = time.perf_counter() - start
    with tempfile.TemporaryDirectory() as folder:
        write_mp4(event.frames, Path(folder) / "clip.mp4", path.fps, event.recipe)
    return {
        "seconds": round(time.perf_counter() - start, 2),
        "first_picture": round(first_picture, 2),
        "parts": {part: round(value, 2) for part, value in event.seconds.items()},
        "peak_gib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20, 2),
    }


def cold(photo: Path, size: str, frames: int) -> float:
    """Seconds of the command, from its start to its end."""
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["render", photo, "--frames", str(frames), "--size", size, "--out", f"{folder}/clip.mp4"]
        command = [sys.executable, "-m", "pipelines", *map(str, arguments)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return round(time.perf_counter() - start, 2)


def start(photo: Path, size: str, frames: int, repeats: int, setting: dict[str, str] | None = None) -> subprocess.Popen:
    """A process of its own that renders `repeats` clips, 0: until it is ended, and prints a JSON line for each.

    setting: of OpenMP, instead of what the environment says; None: as it is.
    """
    command = [sys.executable, __file__, str(photo), "--one", size, "--frames", str(frames), "--repeats", str(repeats)]
    environment = dict(os.environ)
    if setting is not None:
        environment = {name: value for name, value in os.environ.items() if name not in WAITING} | setting
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)


def figures(process: subprocess.Popen) -> list[dict]:
    """What a process that `start` started printed, once it has ended."""
    lines = process.communicate()[0].splitlines()
    if process.returncode:
        raise SystemExit(f"a render failed: {' '.join(process.args)}")
    return [json.loads(line) for line in lines]


def busy(photo: Path, repeats: int, setting: dict[str, str] | None = None) -> dict:
    """Median seconds of a draft, alone and beside two processes that render it over and over."""
    draft = photo, DRAFT, DRAFT_FRAMES
    found = {"quiet": [one["seconds"] for one in figures(start(*draft, repeats, setting))]}
    neighbours = [start(*draft, 0, setting) for _ in range(NEIGHBOURS)]
    try:
        for neighbour in neighbours:
            if not neighbour.stdout.readline():  # its first clip is there: from now on it renders without a pause
                raise SystemExit(f"a render failed: {' '.join(neighbour.args)}")
        found["busy"] = [one["seconds"] for one in figures(start(*draft, repeats, setting))]
    finally:
        for neighbour in neighbours:
            neighbour.kill()
            neighbour.wait()
    medians = {name: statistics.median(seconds) for name, seconds in found.items()}
    return {**medians, "ratio": round(medians["busy"] / medians["quiet"], 2), "all": found}


def report_busy(photo: Path, repeats: int, compare: bool) -> dict:
    report = {"benchmark": "render --busy", "cores": os.cpu_count(), "frames": DRAFT_FRAMES, "size": DRAFT}
    report |= {"neighbours": NEIGHBOURS, "settings": {}}
    for setting in (None, *SETTINGS) if compare else (None,):
        shown = setting or {name: os.environ[name] for name in WAITING if name in os.environ}
        name = ", ".join(f"{name}={value}" for name, value in (shown or OPENMP_WAIT).items())
        name += ", the project's" if not shown else ""
        report["settings"][name] = busy(photo, repeats, setting)
        print(name, report["settings"][name], file=sys.stderr, flush=True)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    examples = sorted((ROOT / "studio" / "examples").glob("*.jpg"))
    parser.add_argument("photo", nargs="?", type=Path, default=examples[0] if examples else None)
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument("--frames", type=int, default=65)
    parser.add_argument("--busy", action="store_true", help="a draft alone and beside two other renders")
    parser.add_argument("--compare", action="store_true", help="with --busy: under several settings of OpenMP")
    parser.add_argument("--repeats", type=int, default=1, help="clips of which the median counts, with --busy")
    parser.add_argument("--one", help=argparse.SUPPRESS)  # used by this script itself
    args = parser.parse_args()
    if args.photo is None:
        parser.error("no photo given and no example found")
    if args.one:
        for clip_figures in warm(args.photo, args.one, args.frames, args.repeats):
            print(json.dumps(clip_figures), flush=True)
        return
    if args.busy or args.compare:
        print(json.dumps(report_busy(args.photo.resolve(), args.repeats, args.compare)))
        return
    report = {"benchmark": "render", "cores": os.cpu_count(), "frames": args.frames, "sizes": {}}
    for size in args.sizes:
        (measured,) = figures(start(args.photo.resolve(), size, args.frames, repeats=1))
        report["sizes"][size] = {**measured, "cold": cold(args.photo, size, args.frames)}
        print(size, report["sizes"][size], file=sys.stderr, flush=True)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
