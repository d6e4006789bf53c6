import pytest

from hub.core.status.card import CardShape
from hub.firstboot import board, vault
from hub.firstboot.board import KeyPlace
from tests.firstboot.flashed import _PROGRAMS, Flashed, card

__all__ = ["card"]

BLANK = "0x00000040 0x80000000 0x00030081 0x00000028 0x80000028 0x00000000 0x00000008 " + "0x00000000 " * 8
BURNT = BLANK.replace("0x00000000 " * 8, "0x11223344 " * 8)


def test_boards_without_aes_instructions_get_adiantum() -> None:
    pi4 = "Features\t: fp asimd evtstrm crc32 cpuid\n" * 4
    pi5 = "Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32\n" * 4
    assert vault.cipher_for(pi4) is vault.ADIANTUM
    assert vault.cipher_for(pi5) is vault.AES
    assert vault.cipher_for("") is vault.ADIANTUM


def test_the_partition_is_made_with_the_cipher_of_its_board(card: Flashed) -> None:
    card.boot()
    assert card.header()["cipher"] == vault.ADIANTUM.spec


def test_blank_fuses_are_no_key() -> None:
    assert board.parse_rows(BLANK) is None
    assert board.parse_rows("error") is None
    assert board.parse_rows(BURNT) == bytes.fromhex("11223344" * 8)


def test_a_board_with_a_burnt_key_needs_no_file_and_its_card_opens_nowhere_else(
    card: Flashed, monkeypatch: pytest.MonkeyPatch
) -> None:
    (card.root / "dev/vcio").touch()
    rows = [BURNT]
    monkeypatch.setitem(_PROGRAMS, "vcmailbox", lambda *_: rows[0])
    report = card.boot()
    assert report is not None
    assert report.key_place == KeyPlace.BOARD.told
    assert not (card.root / "etc/hikma-hub/data.key").exists()
    assert card.boot() == report
    rows[0] = BURNT.replace("11223344", "55667788")
    elsewhere = card.boot()
    assert elsewhere is not None
    assert elsewhere.card is CardShape.GONE
    assert "does not open with the key burnt into this board" in elsewhere.card_why


def test_a_board_with_blank_fuses_says_that_the_key_is_on_the_card(
    card: Flashed, monkeypatch: pytest.MonkeyPatch
) -> None:
    (card.root / "dev/vcio").touch()
    monkeypatch.setitem(_PROGRAMS, "vcmailbox", lambda *_: BLANK)
    report = card.boot()
    assert report is not None
    assert report.key_place == KeyPlace.CARD.told
    assert (card.root / "etc/hikma-hub/data.key").stat().st_mode & 0o777 == 0o400
