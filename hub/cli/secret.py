"""Reads a password, a passphrase or a key from standard input, as the programs of different systems write text."""

import codecs
import sys
import unicodedata

import click

from hub.core.errors import OperatorError

_OTHER_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
"""UTF-32's other mark begins like UTF-16's."""


def read(what: str, *, from_stdin: bool, confirm: bool = True) -> str:
    """Read a secret from the first line of standard input, or ask for it; raises OperatorError for what is no UTF-8.

    what: what people call it, such as "Password".
    """
    if from_stdin:
        return _text(sys.stdin.buffer.readline(), what)
    return str(click.prompt(what, hide_input=True, confirmation_prompt=confirm))


def _text(line: bytes, what: str) -> str:
    """Return the text of a line without its end and without the byte order mark that Windows puts before it.

    Text in UTF-16 would become another secret than the one that was meant, and one that nobody could type. Without
    its mark it shows itself by control characters: the upper halves of its letters.
    """
    try:
        text = line.removeprefix(codecs.BOM_UTF8).decode().rstrip("\r\n")
    except UnicodeDecodeError:
        text = None
    if text is None or line.startswith(_OTHER_MARKS) or any(unicodedata.category(letter) == "Cc" for letter in text):
        raise OperatorError(f"{what}: standard input is not text in UTF-8; save the file as UTF-8")
    return text
