"""Where the progress of downloads is reported to. Standard library only."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

# Called with what is done ("fetch", then "check"), bytes done and bytes in all; from any thread.
Progress = Callable[[str, int, int], None]
_listener: ContextVar[Progress | None] = ContextVar("listener", default=None)


@contextmanager
def reporting_to(progress: Progress | None) -> Iterator[None]:
    """Inside the block `progress` hears how far every download is that this thread starts; None: nothing does."""
    token = _listener.set(progress)
    try:
        yield
    finally:
        _listener.reset(token)


def listener() -> Progress | None:
    """What `reporting_to` has set in this thread; None outside of it."""
    return _listener.get()
