"""How many examples a property is tried with: all of them in the whole run, a tenth in `make check`."""

from hypothesis import settings

QUICK = "quick"
"""The profile of `make check`."""
_FEWEST = 10


def drawn(examples: int) -> settings:
    """Return the settings of a property that is tried with so many examples."""
    is_quick = settings.get_current_profile_name() == QUICK
    return settings(max_examples=max(_FEWEST, examples // 10) if is_quick else examples)
