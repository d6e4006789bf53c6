import random
import re
from pathlib import Path

import pytest

from hub.core.errors import SettingError
from hub.firstboot import card_config
from hub.firstboot.card_config import TAKEN, CardConfig
from tests.firstboot.test_steps import FILE


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[hub]\nname = 5\n", "line 2: hub.name"),
        ("[hub]\nnmae = 'x'\n", "line 2: hub.nmae: there is no nmae here; did you mean name?"),
        ("[hbu]\n", "line 1: hbu: there is no hbu here; did you mean hub?"),
        ("[hub]\nname = 'a\n", "at end of document"),
        ("[hub]\nlanguage = 'de'\n", "line 2: hub.language"),
        ("[hub]\ntimezone = 'Amman'\n", "line 2: there is no such time zone"),
        ("[hub]\ncountry = 'jo'\n", "line 2: hub.country"),
        ("[[wifi]]\nname = 'a'\npassword = 'sevench'\n", "line 3: a Wi-Fi password has 8 to 63 characters"),
        (
            "[[wifi]]\nname = 'a'\n[[wifi]]\nname = 'b'\npasswort = 'x'\n",
            "line 5: wifi.passwort: there is no passwort here; did you",
        ),
        ("[[wifi]]\nname = 'a'\npassword = 'long enough'\n", "Wi-Fi needs [hub] country"),
        ("[hub]\ncountry = 'UK'\n", "line 2: hub.country: there is no country UK in ISO 3166; did you mean GB?"),
        ("[hub]\ncountry = 'ug'\n", "did you mean UG?"),
        ("[hub]\ncountry = 'Jordan'\n", "line 2: hub.country"),
        ("[hub]\nname = \u201cNorth\u201d\n", "line 2: curly quotes"),
        (f"[[wifi]]\nname = '{'ع' * 19}'\nopen = true\n", "line 2: a Wi-Fi name has at most 32 bytes, this one 38"),
        (f"[access_point]\nname = '{'ع' * 19}'\n", "line 2: a Wi-Fi name has at most 32 bytes, this one 38"),
        ("[[wifi]]\nname = 'a'\n", "line 1: a Wi-Fi has either a password or"),
        ("[[wifi]]\nname = 'a'\npassword = 'long enough'\nopen = true\n", "line 1: a Wi-Fi has either a password or"),
        ("[[wifi]]\nname = 'a'\nopen = true\n[[wifi]]\nname = 'a'\nopen = true\n", "line 5: this Wi-Fi is in the file"),
        (f"[[wifi]]\nname = 'a'\npassword = '{'g' * 64}'\n", "line 3: a Wi-Fi password has 8 to 63 characters"),
        ("[[wifi]]\nname = 'a'\npassword = 'pässwörd'\n", "line 3: a Wi-Fi password has 8 to 63 characters"),
        ("[cloud]\nurl = 'hikma.example'\napi_key = 'k'\n", "line 2: cloud.url"),
        ("[cloud]\nurl = 'https://hikma.example'\n", "line 1: cloud"),
        ("[ssh]\nkey = 'my key'\n", "line 2: ssh.key"),
        ("[clinic]\nname = 'North'\n", "needs an [administrator]"),
        ("[administrator]\nemail='a@b'\npassword='too short'\n", "line 3: the administrator's password needs 10"),
    ],
)
def test_a_wrong_file_is_refused_with_the_line_to_mend(text: str, sentence: str) -> None:
    with pytest.raises(SettingError) as refused:
        card_config.read(text)
    assert sentence in str(refused.value)
    assert str(refused.value).startswith("hikma-hub.toml")


@pytest.mark.parametrize("password", ["p" * 8, "p" * 63, "0aF" + "9" * 61])
def test_every_key_that_wpa_knows_is_accepted(password: str) -> None:
    text = f"[hub]\ncountry = 'GB'\n[[wifi]]\nname = '{'ع' * 16}'\npassword = '{password}'\n"
    assert card_config.read(text).wifi[0].password == password


def test_no_secret_is_repeated_in_a_refusal() -> None:
    text = FILE.replace('"open sesame"', '"open sesame!!", hidden = 3')
    with pytest.raises(SettingError) as refused:
        card_config.read(text)
    assert "sesame" not in str(refused.value)


def test_a_file_from_windows_is_read(tmp_path: Path) -> None:
    file = tmp_path / "hikma-hub.toml"
    file.write_bytes(b"\xef\xbb\xbf[hub]\r\nname = 'North'\r\n")
    assert card_config.load(file).hub.name == "North"


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "hikma-hub.toml"
    file.write_bytes("[hub]\nname = 'Zoé'\n".encode("latin-1"))
    with pytest.raises(SettingError, match="line 2: not UTF-8"):
        card_config.load(file)


@pytest.mark.parametrize("end", [b"", b"\x1a"])
@pytest.mark.parametrize(
    ("encoding", "letter"), [("utf-16", "\u00e9"), ("cp1252", "\u00e9"), ("cp437", "\u00e9"), ("cp1256", "\u0639")]
)
def test_a_file_that_a_program_saved_in_its_own_way_is_told_from_no_text(
    encoding: str, letter: str, end: bytes
) -> None:
    with pytest.raises(SettingError, match="not UTF-8"):
        card_config.from_bytes(f"[hub]\r\nname = 'Zo{letter}'\r\n".encode(encoding) + end)


@pytest.mark.parametrize("at", [0, 30, 4096])
def test_a_file_with_noise_in_it_is_no_text(at: int) -> None:
    noise = random.Random(at).randbytes(4096)
    with pytest.raises(SettingError, match=r"line \d+: not a text"):
        card_config.from_bytes((b"# a line as it was written\n" * 200)[:at] + noise)


def test_no_file_and_a_blank_one_ask_for_nothing(tmp_path: Path) -> None:
    file = tmp_path / "hikma-hub.toml"
    assert card_config.load(file) == CardConfig()
    file.write_bytes(bytes(500))
    assert card_config.load(file) == CardConfig()


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "hikma-hub.toml"
    file.write_bytes(b"#" * 100_000)
    with pytest.raises(SettingError, match="larger than"):
        card_config.load(file)


@pytest.mark.parametrize(
    "line",
    [
        'password = "a \\"quoted\\" one, x"',
        "password = 'it is \\ raw'",
        '  password="tight"   # note',
        "password = '#not a note'",
    ],
)
def test_every_way_of_writing_a_secret_is_found(line: str) -> None:
    clean = card_config.without_secrets(
        f"[hub]\ncountry = 'JO'\n[access_point]\nname = 'x'\n{line.replace('tight', 'tight one')}\n"
    )
    assert card_config.secrets_in(card_config.read(clean)) == [TAKEN]
    assert all(word not in clean for word in ("quoted", "raw", "tight", "not a note"))


@pytest.mark.parametrize(
    "way", ["password = '''long secret'''", "'password' = 'long secret'", 'password = """long\\\nsecret"""']
)
def test_a_secret_that_cannot_be_taken_out_is_refused_and_not_left_behind(way: str) -> None:
    with pytest.raises(SettingError, match="line of its own"):
        card_config.without_secrets(f"[hub]\ncountry = 'JO'\n[access_point]\nname = 'x'\n{way}\n")


def test_the_example_for_technicians_is_accepted() -> None:
    text = (Path(__file__).parents[2] / "image/hikma-hub.example.toml").read_text("utf-8")
    assert card_config.read(text) == CardConfig()
    assert len(card_config.secrets_in(card_config.read(re.sub(r"^#(?=\[|\w+ = )", "", text, flags=re.MULTILINE)))) == 6
