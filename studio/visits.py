"""Finds the visit of a page that comes back, after its connection broke or when it was reloaded."""

import threading
import time
from weakref import WeakValueDictionary

from studio.session import Session

AWAY = 32  # visits that are kept although no page shows them
AWAY_BYTES = 2 * 10**9  # of their photos and files


class Visits:
    """The visits of this process by their key, which is random and known to their own page only.

    A visit lives as long as Gradio keeps the state of one of its pages: an hour after the page is gone. Of visits that
    no page shows, only the newest are kept. page: Gradio's session hash, a new one whenever the page loads.
    """

    def __init__(self):
        self._by_key: WeakValueDictionary[str, Session] = WeakValueDictionary()
        self._pages: dict[str, str] = {}  # page -> key
        self._lock = threading.Lock()

    def enter(self, page: str, key, fresh: Session) -> Session:
        """The visit with this key if it is kept, else `fresh`. The page shows it from now on."""
        with self._lock:
            visit = self._by_key.get(key, fresh) if isinstance(key, str) else fresh
            self._by_key[visit.key] = visit
            self._pages[page] = visit.key
            visit.left_at = None
            return visit

    def leave(self, page: str) -> None:
        """The page is gone, or its connection is. Drops the oldest visits if too much is kept for nobody."""
        with self._lock:
            visit = self._by_key.get(self._pages.pop(page, ""))
            if visit is not None and visit.key not in self._pages.values():
                visit.left_at = time.monotonic()
            away = [visit for visit in self._by_key.values() if visit.left_at is not None and not visit.is_working]
            size = 0
            for number, visit in enumerate(sorted(away, key=lambda visit: visit.left_at, reverse=True)):
                size += visit.size
                if number >= AWAY or size > AWAY_BYTES:
                    del self._by_key[visit.key]
                    visit.close()
