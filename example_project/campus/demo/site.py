"""Where the demo serves Campus."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_PORT = 8000


@dataclass(frozen=True, kw_only=True)
class Site:
    """The site that the demo serves at the end, or that the next run would serve."""

    port: int
    is_served: bool

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    @property
    def command(self) -> str:
        """What starts it."""
        port = "" if self.port == DEFAULT_PORT else f" ARGS=--port={self.port}"
        return f"make demo{port}"
