"""What a line of the log may say outside the box."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.redaction import EVENTS, redacted

NAMES = {"sync_pull", "patients.list"}


def logged() -> set[str]:
    """Find every event that the hub logs while it serves, relays or drives its lights."""
    found = set()
    for path in Path("hub").rglob("*.py"):
        if path.parts[1] in {"demo", "firstboot"}:
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name("log"), attr=_), args=[ast.Constant(str(event)), *_]):
                    found.add(event)
                case ast.Call(func=ast.Name("tell"), args=[ast.Constant(str(event)), *_]):
                    found.add(event)
                case _:
                    pass
    return found


def test_every_event_that_the_hub_logs_is_known() -> None:
    assert logged() == set(EVENTS)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("event=rpc procedure=patients.list ms=4", "event=rpc procedure=patients.list ms=4"),
        ('event="no pages over TLS" port=4443', "event=no pages over TLS port=4443"),
        ("event=rpc procedure=amina ms=four device=961", "event=rpc procedure=- ms=- device=961"),
        ("event=refused path=/rpc/query status=403", "event=refused path=/rpc/query status=403"),
        ("event=refused path=/amina reason=amina", "event=refused path=- reason=-"),
        ('error="OperationalError: amina" level=info', "error=- level=info"),
        ('error="OSError: amina"', "error=OSError"),
        ("amina=1", "amina=-"),
        ("Amina=1", "(7 characters)"),
        ("event=rpc amina", "(15 characters)"),
        ("hub.core.errors.StoreError: amina", "StoreError"),
        ("Amina: hello", "(12 characters)"),
        ("", "(0 characters)"),
    ],
)
def test_only_what_is_known_stays(line: str, told: str) -> None:
    assert redacted(line, NAMES) == told


@given(st.text())
def test_any_line_is_reduced_and_none_fails(line: str) -> None:
    redacted(line, NAMES)


_WORDS = st.from_regex(r"[a-z]{1,8}", fullmatch=True)


@given(st.dictionaries(_WORDS, st.from_regex(r"[A-Za-z0-9]{1,20}", fullmatch=True), min_size=1))
def test_no_word_gets_through_that_the_hub_did_not_choose(pairs: dict[str, str]) -> None:
    told = redacted(" ".join(f"{key}={value}" for key, value in pairs.items()), NAMES)
    chosen = {"info", "error", "debug", "warning", "critical", *NAMES, *EVENTS}
    for part in told.split(" "):
        _, _, value = part.partition("=")
        assert value == "-" or value.isdecimal() or value in chosen
