"""What many tests share: where things are, a photo, exact depth, and a studio that is served."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
# for test files that need one: pytestmark = BROWSER
BROWSER = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium found: install it, or set CHROMIUM to its path"),
]


class AnalyticDepth:
    """A DepthEstimator with the answer in the box: a slanted wall, and a nearer block in the middle."""

    def __call__(self, image, K):
        height, width = image.shape[:2]
        rows = np.linspace(0, 1, height, dtype=np.float32)[:, None]
        depth = np.broadcast_to(3.0 - rows, (height, width)).copy()
        depth[int(height * 0.4) : int(height * 0.75), int(width * 0.4) : int(width * 0.6)] = 1.5
        return depth, np.ones((height, width), bool)


def photo(height=72, width=128):
    """A picture with soft colours and a few hard edges."""
    y, x = np.mgrid[:height, :width] / max(height, width)
    channels = [np.sin(7 * x + 2 * y), np.sin(5 * y - 3 * x + 1), np.sin(9 * x * y + 2)]
    picture = np.stack(channels, axis=-1) * 70 + 128
    picture[height // 4 : height // 2, width // 8 : width // 4] = (200, 60, 50)
    picture[height // 2 :, width // 3 : width // 2] *= 0.6
    return picture.clip(0, 255).astype(np.uint8)


@contextmanager
def served(folder: Path, **settings: str):
    """`python app.py` on a free port with these settings; its address. Nothing outside this machine can be reached."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    offline = {"HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"}
    offline |= {"NO_PROXY": "127.0.0.1,localhost", "MIRAGE_PORT": str(port), "MIRAGE_DATA": str(folder / "data")}
    url, log = f"http://127.0.0.1:{port}", folder / "log.txt"
    with log.open("w") as file:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env={**os.environ, **offline, **settings}, stdout=file, stderr=file
        )
        try:
            while True:
                assert process.poll() is None and time.perf_counter() - started < 180, log.read_text()
                try:
                    urllib.request.urlopen(url, timeout=5).read()
                    break
                except OSError:
                    time.sleep(0.1)
            print(f"page served after {time.perf_counter() - started:.1f} s")
            yield url
        finally:
            process.terminate()
            process.wait(20)
