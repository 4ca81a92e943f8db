"""What a process sets up before it renders, for the app, the commands, the trainers and the tests. No torch here.

Waiting: between two steps of a tensor operation OpenMP's threads spin, so that the next step begins at once. Beside
other renders on the same cores they spin away the time that those need. Memory: a clip is made of tensors of a few
megabytes that live for milliseconds. glibc hands such blocks back to the kernel as soon as they are freed, and the
kernel clears every page again that the next tensor touches: a seventh of all processor time of a clip.
"""

import ctypes
import os
import sys
import warnings

# How a thread without work waits, unless the environment says so already: turns of libgomp's loop before it sleeps.
# Its own choice is 300,000; `python benchmarks/render.py --busy --compare` measures others.
OPENMP_WAIT = {"GOMP_SPINCOUNT": "10000"}
OPENMP_NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")  # each overrides the other's default

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD, ARENA_MAX = -1, -2, -3, -8  # of mallopt(3)
LARGEST_KEPT = 32 << 20  # bytes; glibc takes no more
GROWTH = 64 << 20  # bytes that the heap grows by


def prepare_process(keep: int = 512 << 20) -> None:
    """How threads wait, and up to `keep` bytes of freed memory that stay. To be called before torch is imported.

    The OpenMP library reads the environment once, when it is loaded; child processes inherit it. Warns where torch is
    there already.
    """
    if not any(name in os.environ for name in OPENMP_NAMES):
        if "torch" in sys.modules:
            warnings.warn("prepare_process() comes too late for OpenMP: torch is imported already.", stacklevel=2)
        os.environ.update(OPENMP_WAIT)
    keep_freed_memory(keep)


def keep_freed_memory(limit: int = 512 << 20) -> bool:
    """From now on up to `limit` bytes of freed memory stay with this process, in blocks of at most 32 MiB.

    To be called before threads start: all of them then share one heap. Returns whether the C library takes such
    settings (glibc, Linux); elsewhere nothing changes.
    """
    if sys.platform != "linux":
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:  # musl
        return False
    settings = {ARENA_MAX: 1, MMAP_THRESHOLD: LARGEST_KEPT, TRIM_THRESHOLD: limit, TOP_PAD: GROWTH}
    return all([mallopt(name, value) == 1 for name, value in settings.items()])
