"""Writes the list from which Raspberry Pi Imager offers the image (os_list, Imager's doc/json-schema)."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

_ICON = "https://www.hikmahealth.org/favicon.ico"
_BASES: dict[str, dict[str, Any]] = {
    "raspios": {
        "name": "Hikma Hub",
        "description": "Keeps a clinic's records safe between its phones and the cloud",
        "devices": ["pi5-64bit", "pi4-64bit", "pi3-64bit"],
    },
    "debian": {
        "name": "Hikma Hub on Debian, for tests",
        "description": "Not for clinics: Debian's kernel starts no Pi 5, and measures no supply voltage",
        "devices": ["pi3-64bit"],
    },
}
"""What the image was built from. Devices: Imager's tags of the boards that its kernel starts; a Zero 2 W is a Pi 3."""


def entry(image: Path, *, base: str, url: str, extract_size: int, extract_sha256: str, date: str) -> dict[str, Any]:
    """Return the entry of one compressed image; sizes in bytes, ``extract_*`` are of the image after unpacking."""
    return {
        **_BASES[base],
        "icon": _ICON,
        "url": url,
        "extract_size": extract_size,
        "extract_sha256": extract_sha256,
        "image_download_size": image.stat().st_size,
        "release_date": date,
        # Imager would write firstrun.sh or user-data for "systemd" or "cloudinit"; a hub reads hikma-hub.toml instead.
        # Imager 1 takes "none" for "systemd" (its doc/os_customisation_formats.md); image/README.md warns of it.
        "init_format": "none",
        "website": "https://www.hikmahealth.org",
    }


def main(words: list[str]) -> None:
    """Print the list for one image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("--base", required=True, choices=_BASES)
    parser.add_argument("--url", required=True)
    parser.add_argument("--extract-size", type=int, required=True)
    parser.add_argument("--extract-sha256", required=True)
    parser.add_argument("--date", required=True, help="as 2026-01-31")
    given = vars(parser.parse_args(words))
    json.dump({"os_list": [entry(given.pop("image"), **given)]}, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(sys.argv[1:])
