import html
from pathlib import Path

import pytest
from click.testing import CliRunner

from hub.actions.box import identity
from hub.cli import hikma_hub
from hub.core.status.lights import PATTERNS
from hub.store.database import Store
from hub.words import LANGUAGES, words


def test_the_label_shows_name_code_and_what_the_lights_mean(tmp_path: Path) -> None:
    data, output = tmp_path / "data", tmp_path / "label.html"
    store = Store(data)
    who = identity.load(store)
    identity.rename(store, "North <clinic>")
    store.close()
    done = CliRunner().invoke(hikma_hub, ["label", "--data", str(data), "--output", str(output)])
    assert done.exit_code == 0, done.output
    text = output.read_text("utf-8")
    assert "North &lt;clinic&gt;" in text
    assert who.id[:8] in text
    assert "Everything the phones have sent is safe." in text
    assert text.count("<svg") == 1 + len(PATTERNS)
    assert output.stat().st_mode & 0o077 == 0
    shown = CliRunner().invoke(hikma_hub, ["fingerprint", "--data", str(data)]).output.strip()
    assert shown[:23] in text
    assert "Phones scan this code at every sign-in." in text


@pytest.mark.parametrize("code", LANGUAGES)
def test_the_label_speaks_the_language_of_the_settings(tmp_path: Path, code: str) -> None:
    data, output = tmp_path / "data", tmp_path / "label.html"
    Store(data).close()
    (data / "hub.toml").write_text(f'[hub]\nlanguage = "{code}"\n')
    done = CliRunner().invoke(hikma_hub, ["label", "--data", str(data), "--output", str(output)])
    assert done.exit_code == 0, done.output
    text = html.unescape(output.read_text("utf-8"))
    assert f'<html lang="{code}" dir="{words(code).direction}">' in text
    assert words(code).say("Page") in text
    for pattern in PATTERNS.values():
        assert words(code).say(pattern.meaning) in text
        assert words(code).say(pattern.rhythm) in text
