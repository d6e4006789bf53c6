from pathlib import Path

from click.testing import CliRunner

from hub.cli import hikma_hub
from hub.store import identity
from hub.store.database import Store


def test_the_label_shows_name_code_and_what_the_lights_mean(tmp_path: Path) -> None:
    data, output = tmp_path / "data", tmp_path / "label.html"
    store = Store(data)
    who = identity.load(store)
    with store.write() as tx:
        identity.rename(tx, "North <clinic>")
    store.close()
    done = CliRunner().invoke(hikma_hub, ["label", "--data", str(data), "--output", str(output)])
    assert done.exit_code == 0, done.output
    text = output.read_text("utf-8")
    assert "North &lt;clinic&gt;" in text
    assert who.id[:8] in text
    assert "Everything entered is safe." in text
    assert text.count("<svg") == 2
    assert output.stat().st_mode & 0o077 == 0
