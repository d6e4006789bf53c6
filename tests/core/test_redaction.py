"""What a line of the log may say outside the box."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.core.log_events import LogEvent
from hub.core.redaction import redacted

NAMES = {"sync_pull", "patients.list"}


def logged() -> Iterator[tuple[str, ast.expr]]:
    """Find what every call of a log names as its event, and where."""
    for path in Path("hub").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(func=ast.Attribute(value=ast.Name("log")), args=[event, *_]):
                    yield f"{path}:{node.lineno}", event
                case ast.Call(func=ast.Name("tell"), args=[ast.Attribute(value=ast.Name("LogEvent")) as event, *_]):
                    yield f"{path}:{node.lineno}", event
                case _:
                    pass


def test_every_event_that_is_logged_has_a_name_that_the_support_file_knows() -> None:
    nameless = [place for place, event in logged() if not _name(event)]
    assert nameless == [], "log LogEvent.X (hub.core.log_events): the support file would leave any other event out"


def test_every_name_of_an_event_is_logged_somewhere() -> None:
    assert {_name(event) for _, event in logged()} == {event.name for event in LogEvent}


def test_events_are_named_in_one_style() -> None:
    assert [event for event in LogEvent if not re.fullmatch(r"[a-z_]+(\.[a-z_]+)?", event)] == []


def _name(event: ast.expr) -> str:
    match event:
        case ast.Attribute(value=ast.Name("LogEvent"), attr=name) if name in LogEvent.__members__:
            return name
        case _:
            return ""


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("event=rpc procedure=patients.list ms=4", "event=rpc procedure=patients.list ms=4"),
        ("event=tls.unavailable port=4443", "event=tls.unavailable port=4443"),
        ("event=amina port=4443", "event=- port=4443"),
        ("event=rpc procedure=amina ms=four device=961", "event=rpc procedure=- ms=- device=961"),
        ("event=request.refused path=/rpc/query status=403", "event=request.refused path=/rpc/query status=403"),
        ("event=request.refused path=/amina reason=amina", "event=request.refused path=- reason=-"),
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
    chosen = {"info", "error", "debug", "warning", "critical", *NAMES, *LogEvent}
    for part in told.split(" "):
        _, _, value = part.partition("=")
        assert value == "-" or value.isdecimal() or value in chosen
