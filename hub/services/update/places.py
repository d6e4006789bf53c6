"""Where updates and the wishes of the page lie on a box; a test gives another root."""

from pathlib import Path

import msgspec

NAME = "update.raucb"
"""Of what was sent through the page, in the hub's folder."""


class Places(msgspec.Struct, frozen=True):
    """All of them, below ``root``."""

    root: Path = Path("/")

    @property
    def sticks(self) -> tuple[Path, ...]:
        """Where sticks are mounted: one with an update, and the one of the copy."""
        return self.root / "media/hikma-hub-update", self.root / "media/hikma-hub"

    @property
    def sent(self) -> Path:
        """What the page has received."""
        return self.root / "data/hub" / NAME

    @property
    def kept(self) -> Path:
        """The same, once it was taken."""
        return self.root / "data" / NAME

    @property
    def wish(self) -> Path:
        """What the page asks for."""
        return self.root / "run/hikma-hub/update"

    @property
    def told(self) -> Path:
        """What it is told."""
        return self.root / "run/hikma-hub-update.json"

    @property
    def lock(self) -> Path:
        """Held by who installs, tries or goes back."""
        return self.root / "run/hikma-hub-update.lock"
