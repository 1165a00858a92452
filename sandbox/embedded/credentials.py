"""What an embedded server keeps from one start to the next: its password and its port."""

import json
import os
import secrets
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Self

from core.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Credentials:
    """How to reach a server; port 0 before its first start."""

    password: str
    port: int = 0

    @classmethod
    def new(cls) -> Self:
        """Return a fresh password, made of characters that need no quoting in URLs, SQL or settings."""
        return cls(password=secrets.token_urlsafe(24))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote.

        Raises Misconfigured if it cannot be read.
        """
        try:
            return cls(**json.loads(path.read_text()))
        except (ValueError, TypeError) as fault:
            raise Misconfigured(f"{path} is damaged: {fault}") from fault

    def save(self, path: Path) -> None:
        """Write to `path` in one step, for the owner's eyes only."""
        beside = path.with_suffix(".new")
        beside.unlink(missing_ok=True)
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(asdict(self), file)
        beside.replace(path)

    def at(self, port: int) -> Self:
        """Return the same with another port."""
        return replace(self, port=port)
