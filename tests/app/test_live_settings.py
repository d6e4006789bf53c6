"""Settings that count at once reach who goes by them, and nobody else."""

from pathlib import Path

from hub.app.live_settings import LiveSettings
from hub.settings import Settings
from hub.store.database import Store


def test_who_follows_the_settings_hears_of_a_change_and_of_none_afterwards(store: Store, tmp_path: Path) -> None:
    live = LiveSettings(Settings(), tmp_path / "hub.toml", {})
    heard: list[int] = []
    with live.followed(lambda new: heard.append(new.relay.minutes)):
        live.change(store, {"relay.minutes": "17"})
    live.change(store, {"relay.minutes": "18"})
    assert heard == [17]
