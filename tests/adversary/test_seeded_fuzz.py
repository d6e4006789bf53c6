"""What comes from outside may be spoilt anyhow: it is no error that nobody foresaw (``make fuzz`` goes on)."""

import os

import pytest

from hub.core.errors import SettingError
from hub.settings import toml_file
from tests.adversary import fuzz, spoiling
from tests.adversary.decoders import DECODERS
from tests.adversary.spoiling import Target

SEED = int(os.environ.get("FUZZ_SEED", "20260101"))


@pytest.mark.parametrize("name", DECODERS)
def test_what_reads_bytes_from_outside_fails_in_no_way_that_nobody_foresaw(name: str) -> None:
    _spoil(name, most=300)


@pytest.mark.parametrize(("name", "most"), [("merged", 40), ("restored", 2), ("phones", 150)])
def test_spoilt_samples_crash_no_hub(name: str, most: int) -> None:
    _spoil(name, most)


def _spoil(name: str, most: int) -> None:
    done = spoiling.run(fuzz.TARGETS[name], seed=SEED, most=most, seconds=30)
    assert not done.crashes, done.crashes[0][1]
    assert done.inputs > 0


def test_the_same_seed_makes_the_same_inputs() -> None:
    def made() -> list[bytes]:
        seen: list[bytes] = []
        spoiling.run(lambda _: Target(seen.append, [b'{"a":1}', b"x = [2]"]), seed=7, most=200, seconds=30)
        return seen

    assert made() == made()
    assert len(set(made())) > 100


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000, "[" + "a." * 5000 + "a"])
def test_a_settings_file_without_end_is_refused_in_words(text: str) -> None:
    with pytest.raises(SettingError, match=r"hikma-hub\.toml: "):
        toml_file.parse(text, "hikma-hub.toml")
