"""What is left of a hub that has no database to use."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from litestar.testing import TestClient

from hub.app import assembly, support
from hub.core.status.card import CardShape
from hub.core.status.facts import Facts
from hub.settings import Settings


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
