"""An HTTP server on a loopback port that can refuse connections and come back on the same port."""

from aiohttp import web


class Listener:
    """Serves one aiohttp application; the port is free or chosen, and stays the same after `resume`."""

    def __init__(self, app: web.Application, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host = host
        self._port = port
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
        self._site: web.TCPSite | None = None

    @property
    def url(self) -> str:
        """The address to call, without a slash at its end."""
        return f"http://{self._host}:{self._port}"

    async def start(self) -> None:
        """Begin to answer."""
        await self._runner.setup()
        await self.resume()

    async def stop(self) -> None:
        """Close the port and every connection."""
        await self._runner.cleanup()

    async def refuse(self) -> None:
        """Close the port and every open connection, as a machine that is down does."""
        if self._site is None:
            return
        await self._site.stop()
        self._site = None
        if self._runner.server is not None:
            await self._runner.server.shutdown(0.01)  # 0 would wait without end

    async def resume(self) -> None:
        """Answer again on the same port; nothing happens when it answers already."""
        if self._site is not None:
            return
        self._site = web.TCPSite(self._runner, self._host, self._port)
        await self._site.start()
        self._port = self._site.port
