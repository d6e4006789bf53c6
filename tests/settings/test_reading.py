import re
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import fields

from hub.core.errors import SettingError
from hub.settings import Settings, allowed, load

TEMPLATE = files("hub").joinpath("hub.toml").read_text("utf-8")
EVERY_KEY = [(section, key) for section in fields(Settings) for key in fields(section.type)]


@pytest.fixture
def toml(tmp_path: Path) -> Path:
    return tmp_path / "hub.toml"


def refusal(path: Path | None, environ: Mapping[str, str] | None = None) -> str:
    with pytest.raises(SettingError) as caught:
        load(path, environ or {})
    return str(caught.value)


def test_no_file_and_no_variables_give_the_defaults() -> None:
    assert load(None, {}) == Settings()


def test_the_template_as_shipped_changes_nothing(toml: Path) -> None:
    toml.write_text(TEMPLATE, "utf-8")
    assert load(toml, {}) == Settings()


def test_the_template_uncommented_holds_every_default_and_nothing_else() -> None:
    uncommented = re.sub(r"(?m)^#(?=\w+ = )", "", TEMPLATE)
    assert tomllib.loads(uncommented) == msgspec.to_builtins(Settings())


@pytest.mark.parametrize(("section", "key"), EVERY_KEY, ids=lambda field: field.name)
def test_the_template_states_what_each_key_allows(
    section: msgspec.structs.FieldInfo, key: msgspec.structs.FieldInfo
) -> None:
    of_section = TEMPLATE.split(f"\n[{section.name}]\n")[1].split("\n[")[0]
    comment = of_section.split(f"\n#{key.name} = ")[0].split("\n\n")[-1].lower()
    words = allowed(key.type).split(" or ") if '"' in allowed(key.type) else [allowed(key.type)]
    assert all(word in comment for word in words)


def test_a_file_changes_what_it_names_and_nothing_else(toml: Path) -> None:
    toml.write_text('[pairing]\nmode = "open"\n')
    settings = load(toml, {})
    assert settings.pairing.mode == "open"
    assert msgspec.structs.replace(settings, pairing=Settings().pairing) == Settings()


def test_a_variable_wins_over_the_file(toml: Path) -> None:
    toml.write_text("[pairing]\nminutes = 20\n[login]\nwait_max_s = 60\n")
    settings = load(toml, {"HIKMA_HUB_PAIRING_MINUTES": "30", "HIKMA_HUB_HUB_NAME": "عيادة الشمال", "PATH": "/bin"})
    assert settings.pairing.minutes == 30
    assert settings.login.wait_max_s == 60
    assert settings.hub.name == "عيادة الشمال"


@pytest.mark.parametrize(("section", "key"), EVERY_KEY, ids=lambda field: field.name)
def test_every_key_has_its_variable(section: msgspec.structs.FieldInfo, key: msgspec.structs.FieldInfo) -> None:
    default = getattr(getattr(Settings(), section.name), key.name)
    assert load(None, {f"HIKMA_HUB_{section.name}_{key.name}".upper(): str(default)}) == Settings()


def test_the_variables_of_the_command_line_are_let_through() -> None:
    assert load(None, {"HIKMA_HUB_DATA": "/data", "HIKMA_HUB_CONFIG": "/etc/hub.toml"}) == Settings()


def test_settings_cannot_be_changed_after_loading() -> None:
    with pytest.raises(AttributeError):
        Settings().hub.name = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("[pairng]\n", 1, "there is no section [pairng]; did you mean pairing?"),
        ("\n[xyz]\n", 2, "there is no section [xyz]"),
        ("stray = 1\n", 1, "there is no section [stray]; did you mean store?"),
        ("pairing = 1\n", 1, "pairing is a section: write [pairing] on a line of its own"),
        ("[[login]]\nattempts = 1\n", 1, "login is a section"),
        ("# x\n[pairing]\n\nminuts = 5\n", 4, "there is no setting minuts in [pairing]; did you mean minutes?"),
        ("[pairing]\nport = 5\n", 2, "there is no setting port in [pairing]"),
        ("[pairing]\nminutes = 241\n", 2, "minutes is the number 241; allowed is a whole number from 1 to 240"),
        ("[pairing]\nminutes = 0\n", 2, "minutes is the number 0"),
        ("[pairing]\nminutes = 5.0\n", 2, "minutes is the number 5.0"),
        ("[pairing]\nminutes = true\n", 2, "minutes is true"),
        ('[pairing]\nminutes = "5"\n', 2, 'minutes is the text "5"'),
        ("[pairing]\nminutes = [\n5,\n]\n", 4, "minutes is a list"),
        ("[pairing]\nminutes = {a = 1}\n", 2, "minutes is a dict"),
        ("[pairing]\nminutes = 2026-01-01\n", 2, "minutes is a date"),
        ("[pairing]\nminutes = 99999999999999999999999999\n", 2, "minutes is the number 9999"),
        ('[pairing]\nmode = "opn"\n', 2, 'mode is the text "opn"; allowed is "open" or "window"'),
        ("[hub]\nname = 5\n", 2, "name is the number 5; allowed is one line of text, 1 to 80 characters"),
        ('[hub]\nname = ""\n', 2, "name is a text of 0 characters"),
        ('[hub]\nname = "a\\nb"\n', 2, "name is a text of 3 characters"),
        ('[hub]\nname = """\\\n[login]\\\n"""\n[login]\nwait_s = 0\n', 6, "[login] wait_s is the number 0"),
        ("server.port = 0\n", 1, "[server] port is the number 0"),
        ('[hub]\n"name" = 1', 2, "[hub] name"),
        ("[hub]\r\nname = 1\r\n", 2, "[hub] name"),
    ],
)
def test_a_mistake_is_refused_with_its_file_and_line_and_the_remedy(
    toml: Path, text: str, line: int, says: str
) -> None:
    toml.write_bytes(text.encode())
    told = refusal(toml)
    assert told.startswith(f"{toml} line {line}: ")
    assert says in told


def test_a_mistake_in_the_toml_keeps_its_line(toml: Path) -> None:
    toml.write_text("[hub]\nname = Hikma\n")
    told = refusal(toml)
    assert told.startswith(f"{toml}: ")
    assert "line 2" in told


def test_a_file_that_is_not_there_is_refused(toml: Path) -> None:
    assert str(toml) in refusal(toml)


def test_a_file_that_is_not_text_is_refused(toml: Path) -> None:
    toml.write_bytes(b"\xff\xfe\x00")
    assert str(toml) in refusal(toml)


def test_a_file_saved_on_windows_is_read(toml: Path) -> None:
    toml.write_bytes(b'\xef\xbb\xbf[pairing]\r\nmode = "open"\r\n')
    assert load(toml, {}).pairing.mode == "open"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("HIKMA_HUB_PAIRING_MOD", "open", "there is no such setting; did you mean HIKMA_HUB_PAIRING_MODE?"),
        ("HIKMA_HUB_", "", "there is no such setting"),
        ("HIKMA_HUB_PAIRING_MINUTES", "241", "is the number 241; allowed is a whole number from 1 to 240"),
        ("HIKMA_HUB_PAIRING_MINUTES", "many", 'is the text "many"; allowed is a whole number from 1 to 240'),
        ("HIKMA_HUB_PAIRING_MINUTES", "", "allowed is a whole number from 1 to 240"),
        ("HIKMA_HUB_LOG_FORMAT", "xml", 'allowed is "json" or "logfmt"'),
        ("HIKMA_HUB_HUB_NAME", "\udcff", "a text of 1 characters"),
    ],
)
def test_a_wrong_variable_is_refused_by_name(name: str, value: str, says: str) -> None:
    told = refusal(None, {name: value})
    assert told.startswith(f"{name}: ")
    assert says in told


@pytest.mark.parametrize(
    "text",
    [
        "[server]\nhost = 'correct horse\\nbattery'\nport = 'correct horse battery staple'\n",
        "[hub]\nkey = 'correct horse'",
    ],
)
def test_a_text_that_may_be_a_secret_is_not_repeated(toml: Path, text: str) -> None:
    toml.write_text(text)
    assert "correct horse" not in refusal(toml)


@given(st.binary(max_size=200))
def test_any_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, junk: bytes) -> None:
    path = tmp_path_factory.mktemp("junk") / "hub.toml"
    path.write_bytes(junk)
    try:
        load(path, {})
    except SettingError as error:
        assert str(path) in str(error)  # noqa: PT017  both ends are right
