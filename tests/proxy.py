"""A TCP proxy in front of a studio that is served, which can break every connection and take no new ones for a time."""

import asyncio
import contextlib
import threading


class Proxy:
    """Listens on `port` of this machine and passes everything on to `target`, another port; a context manager."""

    def __init__(self, target: int):
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._flows = asyncio.Event()
        self.port = 0

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True).start()
        self._run(self._listen())
        return self

    def __exit__(self, *_) -> None:
        self._run(self._drop())
        self._loop.call_soon_threadsafe(self._loop.stop)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def drop(self) -> None:
        """Every connection breaks, as where a cable is pulled, and new ones are refused until `restore`."""
        self._run(self._drop())

    def stall(self) -> None:
        """What is sent from now on does not arrive, and `drop` loses it."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def restore(self) -> None:
        self._run(self._listen())

    def _run(self, work) -> None:
        asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._pass_on, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        self._flows.set()

    async def _drop(self) -> None:
        self._server.close()
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        their_reader, their_writer = await asyncio.open_connection("127.0.0.1", self._target)
        ends = {writer, their_writer}
        self._open |= ends
        with contextlib.suppress(OSError):
            await asyncio.gather(self._copy(reader, their_writer), self._copy(their_reader, writer))
        self._open -= ends

    async def _copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(2**16):
                await self._flows.wait()
                writer.write(data)
                await writer.drain()
        finally:
            with contextlib.suppress(OSError):
                writer.close()
