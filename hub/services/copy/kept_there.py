"""What a spare and the hub whose copy it keeps say to each other."""

import msgspec


class KeptThere(msgspec.Struct, frozen=True):
    """What a spare says of a copy that it keeps."""

    base: int | None
    base_age_s: float | None
    last: int
    is_broken: bool
    next_number: int
