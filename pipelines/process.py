"""Keeps freed memory in the process, where the C library allows it.

A clip is made of tensors of a few megabytes that live for milliseconds. glibc hands such blocks back to the kernel as
soon as they are freed, and the kernel clears every page again that the next tensor touches: a seventh of all processor
time of a clip.
"""

import ctypes
import sys

TRIM_THRESHOLD, TOP_PAD, MMAP_THRESHOLD, ARENA_MAX = -1, -2, -3, -8  # of mallopt(3)
LARGEST_KEPT = 32 << 20  # bytes; glibc takes no more
GROWTH = 64 << 20  # bytes that the heap grows by


def keep_freed_memory(limit: int = 512 << 20) -> bool:
    """From now on up to `limit` bytes of freed memory stay with this process, in blocks of at most 32 MiB.

    To be called before threads start: all of them then share one heap. Returns whether the C library is one that can
    be told so (glibc, Linux); elsewhere nothing changes.
    """
    if sys.platform != "linux":
        return False
    tell = getattr(ctypes.CDLL(None), "mallopt", None)
    if tell is None:  # musl
        return False
    settings = {ARENA_MAX: 1, MMAP_THRESHOLD: LARGEST_KEPT, TRIM_THRESHOLD: limit, TOP_PAD: GROWTH}
    return all([tell(name, value) == 1 for name, value in settings.items()])
