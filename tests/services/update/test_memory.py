from pathlib import Path

import pytest

from hub.core.update.last import Fate, LastUpdate
from hub.core.update.slots import Start
from hub.core.update.trial import Need, Way
from hub.services.update import memory

LAST = LastUpdate(version="2.0.0", before="1.0.0", fate=Fate.TRYING, ways=(Way.WIFI,), missing=("READY", "gone"))


def test_the_last_update_is_kept_and_read(tmp_path: Path) -> None:
    assert memory.read(tmp_path) is None
    memory.keep(tmp_path, LAST)
    assert memory.read(tmp_path) == LAST
    assert LAST.needs == (Need.READY,), "another release may have asked for more"


@pytest.mark.parametrize("content", [b"", b"\0" * 100, b"{}", b'{"version": "1", "before": "0", "fate": "new"}'])
def test_what_cannot_be_read_is_no_update(tmp_path: Path, content: bytes) -> None:
    (tmp_path / memory.FILE_NAME).write_bytes(content)
    assert memory.read(tmp_path) is None


@pytest.mark.parametrize(
    ("start", "running", "fate"),
    [
        (Start.TRIAL, "2.0.0", Fate.TRYING),
        (Start.RETURN, "1.0.0", Fate.RETURNED),
        (Start.USUAL, "2.0.0", Fate.KEPT),
        (Start.USUAL, "1.0.0", Fate.RETURNED),
    ],
)
def test_the_next_start_shows_what_became_of_an_update_whose_end_nobody_wrote_down(
    start: Start, running: str, fate: Fate
) -> None:
    assert memory.after_start(LAST, start, running).fate is fate


@pytest.mark.parametrize("fate", [fate for fate in Fate if fate is not Fate.TRYING])
def test_what_is_known_of_an_update_stays(fate: Fate) -> None:
    known = LastUpdate(version="2.0.0", before="1.0.0", fate=fate)
    assert all(memory.after_start(known, start, "1.0.0") == known for start in Start)
