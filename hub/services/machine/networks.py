"""How pages and the program that may change the networks speak: a wish in one file, what came of it in another."""

from pathlib import Path

import msgspec

from hub import files
from hub.core.wifi import Networks, Wish


class NetworkDesk(msgspec.Struct, frozen=True):
    """Where a wish is left, and where it is told what is. An empty wish file: nobody here grants any."""

    wish_file: str = ""
    told_file: str = ""

    @property
    def is_open(self) -> bool:
        """Whether wishes are granted on this machine."""
        return bool(self.wish_file)

    @property
    def is_waiting(self) -> bool:
        """Whether a wish was left that nobody has taken yet."""
        return self.is_open and Path(self.wish_file).exists()

    def ask(self, wish: Wish) -> None:
        """Leave a wish; raises OSError."""
        files.replace(Path(self.wish_file), [msgspec.json.encode(wish)], mode=0o600, durable=False)

    def networks(self) -> Networks:
        """Return what is told; nothing is known where nothing can be read."""
        try:
            return msgspec.json.decode(Path(self.told_file).read_bytes(), type=Networks)
        except (OSError, msgspec.MsgspecError):
            return Networks()
