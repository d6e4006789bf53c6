"""Chooses the language of the hub's screen, label and warnings."""

import os

from hub.settings import Settings
from hub.words import RIGHT_TO_LEFT, Words, words


def of(settings: Settings) -> Words:
    """Return the language of the settings; English where the kernel's own console (TERM=linux) could not draw it."""
    code = settings.hub.language
    is_drawn = os.environ.get("TERM") != "linux" or code not in RIGHT_TO_LEFT
    return words(code if is_drawn else "en")
