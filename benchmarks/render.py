"""How long a clip takes, from photo to mp4, and how much memory: python benchmarks/render.py [PHOTO] [--sizes ...]

Regime: the embedded engine on this machine's CPU, 65 frames, move there-and-back, one process per size so that peak
memory is that size's own. warm: the pipeline is loaded and has rendered once before (five frames); first_picture: until
the first chunk is there; cold: everything from the start of `python -m pipelines render`. Without PHOTO one of the
studio's examples is used. The last line of stdout is one JSON object.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
SIZES = ("288x512", "720x1280", "1080x1920")


def warm(photo: Path, size: str, frames: int) -> dict:
    import torch

    from pipelines import ChunkEvent, MiragePipeline, move
    from pipelines.media.clips import write_mp4
    from pipelines.media.photos import open_photo
    from pipelines.process import keep_freed_memory

    keep_freed_memory()  # as the commands and the studio do
    height, width = map(int, size.split("x"))
    pipe = MiragePipeline.embedded()
    image = open_photo(photo)
    lifted = pipe.lift(image, 72, 128)
    pipe(lifted, move("there-and-back", lifted.camera, distance=lifted.distance, frames=5))

    start, first_picture = time.perf_counter(), None
    image = open_photo(photo)
    lifted = pipe.lift(image, height, width)
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
        "threads": torch.get_num_threads(),
    }


def cold(photo: Path, size: str, frames: int) -> float:
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["render", photo, "--frames", str(frames), "--size", size, "--out", f"{folder}/clip.mp4"]
        command = [sys.executable, "-m", "pipelines", *map(str, arguments)]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return round(time.perf_counter() - start, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    examples = sorted((ROOT / "studio" / "examples").glob("*.jpg"))
    parser.add_argument("photo", nargs="?", type=Path, default=examples[0] if examples else None)
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    parser.add_argument("--frames", type=int, default=65)
    parser.add_argument("--one", help=argparse.SUPPRESS)  # used by this script itself
    args = parser.parse_args()
    if args.photo is None:
        parser.error("no photo given and no example found")
    if args.one:
        print(json.dumps(warm(args.photo, args.one, args.frames)))
        return
    report = {"benchmark": "render", "cores": os.cpu_count(), "frames": args.frames, "sizes": {}}
    for size in args.sizes:
        command = [sys.executable, __file__, str(args.photo.resolve()), "--one", size, "--frames", str(args.frames)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        report["sizes"][size] = {
            **json.loads(done.stdout.splitlines()[-1]),
            "cold": cold(args.photo, size, args.frames),
        }
        print(size, report["sizes"][size], file=sys.stderr, flush=True)
    print(json.dumps(report))


if __name__ == "__main__":
    main()
