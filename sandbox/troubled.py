"""A gateway of the sandbox that a test can bring into trouble, in the same words whichever it plays."""

from sandbox.faults import AcceptThenHang, AnswerStatus, Fault, Faults, Hang, TooMany
from sandbox.listener import Listener


class Troubled:
    """Answers by `_listener`, and meets what is planned in `faults`.

    Each trouble meets the next `times` calls (None: all until `recover`) whose path contains `path`: by
    default `sends`, every sending of a message.
    """

    sends: str
    faults: Faults
    _listener: Listener

    @property
    def url(self) -> str:
        """The gateway's address, without a slash at its end."""
        return self._listener.url

    def status_next(self, status: int, *, times: int | None = 1, path: str | None = None) -> None:
        """Answer the next calls with a bare HTTP status; with 200, under it no JSON at all."""
        self._plan(AnswerStatus(status), times, path)

    def too_many(self, retry_after: int, *, times: int | None = 1, path: str | None = None) -> None:
        """Answer the next calls with 429 that asks to wait for so many seconds."""
        self._plan(TooMany(retry_after), times, path)

    def hang(self, seconds: float, *, times: int | None = 1, path: str | None = None) -> None:
        """Keep the next calls waiting, and do nothing of what they ask."""
        self._plan(Hang(seconds), times, path)

    def accept_then_hang(self, seconds: float, *, times: int | None = 1, path: str | None = None) -> None:
        """Do what the next calls ask, and keep the answer back."""
        self._plan(AcceptThenHang(seconds), times, path)

    async def refuse(self) -> None:
        """Refuse connections until `recover`."""
        await self._listener.refuse()

    async def recover(self) -> None:
        """Answer as usual again, on the same port."""
        self.faults.clear()
        await self._listener.resume()

    def _plan(self, fault: Fault, times: int | None, path: str | None) -> None:
        self.faults.plan(fault, times=times, path=self.sends if path is None else path)
