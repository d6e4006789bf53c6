"""What is left of a hub that has no database to use."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from hub.actions.box import copying, facts
from hub.actions.people import audit
from hub.app import assembly, support
from hub.app.opening import opened
from hub.core.copy.standing import Copy
from hub.core.records.tables import TABLES
from hub.core.status.card import CardShape
from hub.core.status.facts import Facts
from hub.core.status.state import HubState, state
from hub.settings import Settings
from hub.store import rebuild
from hub.store.database import FILE_NAME
from hub.store.records import record_rows
from tests.bench.material import hub
from tests.store.test_rebuild import pages, spoil


def test_a_hub_whose_data_is_gone_says_so_and_takes_nothing_from_phones(tmp_path: Path) -> None:
    application = assembly.create_closed(tmp_path, Settings(), Facts(card=CardShape.GONE, writable=False))
    with TestClient(application) as browser:
        assert "cannot be found on its card" in browser.get("/").text.replace("&#39;", "'")
        assert browser.get("/readyz").status_code == 503
        assert browser.post("/rpc/handshake", content=b"{}").status_code == 503


def test_a_closed_hub_gives_its_support_file_to_whoever_is_there_and_makes_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build, made = support.build, []

    def counted(*given: Any) -> bytes:  # noqa: ANN401  whatever it is given
        made.append(given)
        return build(*given)

    monkeypatch.setattr(support, "build", counted)
    application = assembly.create_closed(tmp_path, Settings(), Facts(damage=("malformed",), writable=False))
    with TestClient(application) as browser:
        assert 'href="/support-file"' in browser.get("/").text
        answers = [browser.get("/support-file") for _ in range(5)]
    assert {answer.status_code for answer in answers} == {200}
    assert "hikma-hub-support-" in answers[0].headers["content-disposition"]
    with zipfile.ZipFile(io.BytesIO(answers[-1].content)) as file:
        assert json.loads(file.read("status.json"))["state"] == "damaged"
    assert len(made) == 1


def damaged(folder: Path, kind: str) -> Path:
    """Make the database of a hub that keeps a copy; the indexes, or the rows, of a table read as noise."""
    store, _ = hub(folder, 200)
    copying.start(store, Copy(id="c", folder="/nowhere", salt=b"", recipient=b""))
    store.close()
    for page in pages(folder / FILE_NAME, kind, "events"):
        spoil(folder / FILE_NAME, page)
    return folder


def test_a_hub_of_whose_database_only_indexes_are_damaged_mends_it_and_says_so(tmp_path: Path) -> None:
    folder = damaged(tmp_path, "index")
    store, damage = opened(folder, Settings(), CardShape.SOUND)
    assert store
    with store.read() as db:
        assert record_rows.count(db, TABLES["events"]) == 200
    assert [entry["event"] for entry in audit.newest(store, limit=1).entries] == ["database.mended"]
    assert store.card is CardShape.SOUND
    assert copying.config(store)
    store.close()
    assert damage == ()
    assert rebuild.before(folder / FILE_NAME).exists()
    store, damage = opened(folder, Settings(), CardShape.SOUND)
    assert store
    store.close()
    assert damage == ()
    assert not rebuild.before(folder / FILE_NAME).exists(), "the hub started well without it"


def test_a_hub_some_of_whose_rows_cannot_be_read_gives_the_others_and_takes_nothing_in(tmp_path: Path) -> None:
    folder = damaged(tmp_path, "table")
    for _ in range(2):  # it stays so at the next start
        store, damage = opened(folder, Settings(), CardShape.SOUND)
        assert store
        assert (store.card, damage) == (CardShape.PARTLY, ())
        assert state(facts.gather(store)) is HubState.PARTLY
        assert [entry["event"] for entry in audit.newest(store, limit=1).entries] == ["database.salvaged"]
        assert copying.config(store) is None, "the stick has what could not be read, and is not written any more"
        store.close()
        assert rebuild.before(folder / FILE_NAME).exists(), "who knows databases may read more of it"


def test_a_hub_that_is_made_of_one_that_was_read_in_part_takes_records_again(tmp_path: Path) -> None:
    folder = damaged(tmp_path, "table")
    for shape in (CardShape.PARTLY, CardShape.SOUND):
        store, _ = opened(folder, Settings(), CardShape.SOUND)
        assert store
        assert store.card is shape
        with store.write() as tx:
            copying.begin_anew(tx)
        store.close()


@pytest.mark.parametrize("kind", ["table", "index"])
def test_a_hub_whose_card_takes_nothing_in_mends_nothing(tmp_path: Path, kind: str) -> None:
    folder = damaged(tmp_path, kind)
    before = (folder / FILE_NAME).read_bytes()
    store, damage = opened(folder, Settings(), CardShape.FAILED)
    if store:
        store.close()
    assert damage
    assert (folder / FILE_NAME).read_bytes() == before
