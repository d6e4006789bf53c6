"""Values with a name for scripts and the database, and a sentence for people."""

from enum import Enum

import msgspec


class Words(msgspec.Struct, frozen=True):
    """What a value is called: a word that never changes, and an English sentence that is translated."""

    word: str
    sentence: str


class Worded(Enum):
    """A list of such values."""

    _value_: Words

    @property
    def word(self) -> str:
        """Its name for scripts and the database."""
        return self.value.word

    @property
    def sentence(self) -> str:
        """What it means, in English, with the names of its parameters in braces."""
        return self.value.sentence
