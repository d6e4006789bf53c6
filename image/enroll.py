"""Makes the settings files of many cards from a table (CSV), and the list of hubs for the fleet server.

Columns, by the names in the first line: name (what the fleet calls the hub: letters, digits, hyphens), clinic, wifi,
wifi_password, api_key, token; further ones are optional: hub_name, language, country, timezone, admin_email,
admin_password, ssh_key. An empty token is drawn; so every hub has one of its own.
"""

import argparse
import csv
import re
import secrets
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import tomlkit
import tomlkit.items

from hub import files
from hub.core.errors import HubError, OperatorError
from hub.firstboot import card_config
from hub.firstboot.card_config import CLUSTER_BYTES, FILE_NAME

COLUMNS = ("name", "clinic", "wifi", "wifi_password", "api_key", "token")
OPTIONAL = ("hub_name", "language", "country", "timezone", "admin_email", "admin_password", "ssh_key")
HUBS_NAME = "fleet-hubs.yml"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}")


class Everywhere(msgspec.Struct, frozen=True, kw_only=True):
    """What all cards share."""

    cloud_url: str = ""
    fleet_url: str = ""
    ca: str = ""
    country: str = ""
    timezone: str = ""
    language: str = ""


def read(lines: Iterable[str]) -> list[dict[str, str]]:
    """Read the table; every row gets a token. Raises OperatorError, which names the line."""
    table = csv.DictReader(lines)
    given = set(table.fieldnames or ())
    wrong = sorted({*COLUMNS} - given) or sorted(given - {*COLUMNS, *OPTIONAL})
    if wrong:
        raise OperatorError(
            f"line 1: the columns are {', '.join(COLUMNS)}; wrong or missing: {', '.join(map(str, wrong))}"
        )
    rows: list[dict[str, str]] = []
    for row in table:
        if None in row or None in row.values():
            raise OperatorError(f"line {table.line_num}: not as many fields as columns")
        found = {name: text.strip() for name, text in row.items()}
        if not _NAME.fullmatch(found["name"]) or found["name"] in {one["name"] for one in rows}:
            raise OperatorError(
                f"line {table.line_num}: a name has letters, digits and hyphens, and no two are the same"
            )
        rows.append({**found, "token": found["token"] or secrets.token_urlsafe(32)})
    return rows


def card(row: Mapping[str, str], everywhere: Everywhere) -> str:
    """Return the settings file of one card; raises SettingError for what a hub would refuse."""
    text = tomlkit.dumps({section: table for section, table in _tables(row, everywhere).items() if table})
    card_config.without_secrets(text)  # as the hub will do it
    card_config.read(text)
    # One that ends where a block of the card does would be taken for one that was cut off there.
    return text if len(text.encode()) % CLUSTER_BYTES else f"{text}\n"


def _tables(row: Mapping[str, str], everywhere: Everywhere) -> dict[str, Any]:
    def told(**values: str) -> dict[str, Any]:
        return {key: value for key, value in values.items() if value}

    wifi = told(name=row["wifi"], password=row["wifi_password"])
    administrator = told(email=row.get("admin_email", ""), password=row.get("admin_password", ""))
    ca = {"ca": tomlkit.string(everywhere.ca, multiline=True)} if everywhere.ca else {}
    return {
        "hub": told(
            name=row.get("hub_name", "") or row["clinic"] or row["name"],
            language=row.get("language", "") or everywhere.language,
            country=row.get("country", "") or everywhere.country,
            timezone=row.get("timezone", "") or everywhere.timezone,
        ),
        "wifi": [wifi] if wifi else [],
        "cloud": told(url=everywhere.cloud_url, api_key=row["api_key"]) if row["api_key"] else {},
        "fleet": {**told(url=everywhere.fleet_url, token=row["token"]), **ca} if everywhere.fleet_url else {},
        "administrator": administrator,
        "clinic": told(name=row["clinic"]) if administrator and not row["api_key"] else {},
        "ssh": told(key=row.get("ssh_key", "")),
    }


def hubs(rows: Iterable[Mapping[str, str]]) -> str:
    """Return the fleet server's variables: each hub with its token, as YAML."""
    lines = [f'  - {{name: "{row["name"]}", token: "{row["token"]}"}}\n' for row in rows]
    return "".join(["fleet_hubs:\n", *lines])


def main(words: list[str]) -> int:
    """Write OUT/NAME/hikma-hub.toml for each row, and OUT/fleet-hubs.yml; nothing unless every row is right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("out", type=Path)
    for name in Everywhere.__struct_fields__:
        parser.add_argument(f"--{name.replace('_', '-')}", default="")
    given = vars(parser.parse_args(words))
    table, out = given.pop("table"), given.pop("out")
    try:
        given["ca"] = Path(given["ca"]).read_text("ascii") if given["ca"] else ""
        with table.open(encoding="utf-8-sig", newline="") as file:
            rows = read(file)
        made = {row["name"]: _made(row, msgspec.convert(given, Everywhere)) for row in rows}
    except (HubError, OSError, UnicodeDecodeError) as error:
        sys.stderr.write(f"{table}: {error}\n")
        return 1
    for name, text in made.items():
        (out / name).mkdir(mode=0o700, parents=True, exist_ok=True)
        files.replace(out / name / FILE_NAME, [text.encode()])
    files.replace(out / HUBS_NAME, [hubs(rows).encode()])
    sys.stdout.write(f"{len(made)} cards in {out}; every file holds secrets, keep them as such.\n")
    return 0


def _made(row: Mapping[str, str], everywhere: Everywhere) -> str:
    try:
        return card(row, everywhere)
    except HubError as error:
        raise OperatorError(f"{row['name']}: {error}") from error


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
