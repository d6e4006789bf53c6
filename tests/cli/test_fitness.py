from pathlib import Path

import msgspec
import pytest

from hub.cli import fitness
from hub.core.status.card import CardShape
from hub.firstboot.board import KeyPlace
from hub.firstboot.report import FirstBootReport

IW = "Wiphy phy0\n\tSupported interface modes:\n\t\t * managed\n{ap}\tDevice supports AP scan.\n{most}"


@pytest.mark.parametrize(
    ("printed", "result"),
    [
        ("", fitness.UNKNOWN),
        (IW.format(ap="", most=""), fitness.FAIL),
        (IW.format(ap="\t\t * AP\n", most=""), fitness.PASS),
        (IW.format(ap="\t\t * AP\n", most="\tMaximum associated stations in AP mode: 4\n"), fitness.FAIL),
        (IW.format(ap="\t\t * AP\n", most="\tMaximum associated stations in AP mode: 19\n"), fitness.PASS),
    ],
)
def test_the_radio_is_judged_by_what_it_says(printed: str, result: str) -> None:
    assert fitness._radio(printed)[1] == result


def test_the_place_of_the_key_is_told_honestly(tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    assert fitness._encryption(file)[1] == fitness.FAIL
    place = KeyPlace.CARD
    file.write_bytes(msgspec.json.encode(FirstBootReport(key_place=place.told, key_protects=place.protects)))
    _, result, detail = fitness._encryption(file)
    assert result == fitness.PASS
    assert "in a file on the same card" in detail
    assert "Whoever has the whole card can read it" in detail


@pytest.mark.parametrize("shape", CardShape)
def test_a_data_partition_that_is_not_sound_fails_and_says_why(tmp_path: Path, shape: CardShape) -> None:
    file = tmp_path / "report.json"
    file.write_bytes(msgspec.json.encode(FirstBootReport(card=shape, card_why="e2fsck failed with 4")))
    _, result, detail = fitness._shape(file)
    assert result == (fitness.PASS if shape is CardShape.SOUND else fitness.FAIL)
    assert ("e2fsck failed with 4" in detail) is (shape is not CardShape.SOUND)


@pytest.mark.slow
def test_every_part_of_the_box_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "hub.db").touch()
    names = [name for name, _, _ in fitness.checks(tmp_path)]
    assert names == [
        "card speed",
        "card errors",
        "supply under load",
        "temperature under load",
        "radio",
        "clock",
        "data partition",
        "encryption",
    ]
