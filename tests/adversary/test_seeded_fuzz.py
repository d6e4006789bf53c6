"""What comes from outside may be spoilt anyhow: it is no error that nobody foresaw (``make fuzz`` goes on)."""

import os

import pytest

from hub.core.errors import SettingError
from hub.settings import toml_file
from tests.adversary import fuzz

SEED = int(os.environ.get("FUZZ_SEED", "20260101"))


@pytest.mark.parametrize(("name", "most"), [("cloud", 40), ("card", 40), ("backup", 2), ("phones", 150)])
def test_spoilt_samples_crash_nothing(name: str, most: int) -> None:
    count, crashes = fuzz.run(fuzz.TARGETS[name], seed=SEED, most=most, seconds=30)
    assert not crashes, crashes[0][1]
    assert count > 0


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000, "[" + "a." * 5000 + "a"])
def test_a_settings_file_without_end_is_refused_in_words(text: str) -> None:
    with pytest.raises(SettingError, match=r"hikma-hub\.toml: "):
        toml_file.parse(text, "hikma-hub.toml")
