"""Fifty cards are an afternoon: their files come from one table, and the fleet server's list with them."""

from pathlib import Path

import pytest
import yaml

from hub.firstboot import card_config
from tests.outside import PROJECT, run

HEAD = "name,clinic,wifi,wifi_password,api_key,token\n"
EVERYWHERE = ("--fleet-url", "https://fleet.example", "--cloud-url", "https://cloud.example", "--country", "UG")


def enroll(tmp_path: Path, table: str, *more: str) -> tuple[int, str]:
    (tmp_path / "hubs.csv").write_text(table, "utf-8")
    done = run(PROJECT / "image/enroll", tmp_path / "hubs.csv", tmp_path / "out", *EVERYWHERE, *more)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.slow
def test_each_row_becomes_a_card_that_a_hub_accepts(tmp_path: Path) -> None:
    rows = [
        f'hub-{number},"Clinic ""عيادة"" {number}, north",Wi-Fi \\ x,se"cret{number},hh_{number},\n'
        for number in range(50)
    ]
    (tmp_path / "ca.pem").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n")
    status, said = enroll(tmp_path, HEAD + "".join(rows), "--ca", str(tmp_path / "ca.pem"))
    assert (status, "50 cards" in said) == (0, True), said
    listed = yaml.safe_load((tmp_path / "out/fleet-hubs.yml").read_text("utf-8"))["fleet_hubs"]
    tokens = {one["name"]: one["token"] for one in listed}
    assert len(set(tokens.values())) == 50
    for number in range(50):
        file = tmp_path / f"out/hub-{number}/hikma-hub.toml"
        found = card_config.load(file)
        assert found.fleet is not None
        assert found.cloud is not None
        assert (found.fleet.token, found.fleet.url) == (tokens[f"hub-{number}"], "https://fleet.example")
        assert (found.hub.name, found.hub.country) == (f'Clinic "عيادة" {number}, north', "UG")
        assert (found.wifi[0].name, found.wifi[0].password) == ("Wi-Fi \\ x", f'se"cret{number}')
        assert found.cloud.api_key == f"hh_{number}"
        assert found.fleet.ca is not None
        assert file.stat().st_mode & 0o077 == 0
        clean = card_config.without_secrets(file.read_text("utf-8"))
        assert not any(one in clean for one in (tokens[f"hub-{number}"], "cret", "hh_"))


def test_no_file_ends_where_a_block_of_the_card_does(tmp_path: Path) -> None:
    ca, made = tmp_path / "ca.pem", tmp_path / "out/a/hikma-hub.toml"

    def size(filling: int) -> int:
        ca.write_text(f"-----BEGIN CERTIFICATE-----\n{'x' * filling}\n-----END CERTIFICATE-----\n")
        made.unlink(missing_ok=True)
        status, said = enroll(tmp_path, HEAD + "a,b,Clinic,kestrel-harbour,hh_1,\n", "--ca", str(ca))
        assert status == 0, said
        return made.stat().st_size

    short = 2 * card_config.CLUSTER_BYTES - size(5000)
    assert size(5000 + short) == 2 * card_config.CLUSTER_BYTES + 1


@pytest.mark.parametrize(
    ("table", "sentence"),
    [
        ("name,clinic\na,b\n", "line 1"),
        (HEAD.replace("token", "token,colour") + "a,b,,,,,red\n", "colour"),
        (HEAD + "a,b\n", "line 2"),
        (HEAD + "a b,c,,,,\n", "line 2"),
        (HEAD + "a,b,,,,\na,c,,,,\n", "line 3"),
        (HEAD + "a,b,Clinic,short,,\n", "a: hikma-hub.toml line"),
    ],
)
def test_a_wrong_table_is_refused_and_nothing_is_written(tmp_path: Path, table: str, sentence: str) -> None:
    status, said = enroll(tmp_path, table)
    assert status == 1
    assert sentence in said
    assert not (tmp_path / "out").exists()
