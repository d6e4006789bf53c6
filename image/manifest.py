"""Writes the list from which Raspberry Pi Imager offers the image (os_list, Imager's doc/json-schema)."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

_ICON = "https://www.hikmahealth.org/favicon.ico"
_DEVICES = ["pi5-64bit", "pi4-64bit", "pi3-64bit"]
"""Imager's tags of the boards that it is offered for: those with 64 bit."""


def entry(image: Path, *, url: str, extract_size: int, extract_sha256: str, date: str) -> dict[str, Any]:
    """Return the entry of one compressed image; sizes in bytes, ``extract_*`` are of the image after unpacking."""
    return {
        "name": "Hikma Hub",
        "description": "Keeps a clinic's records safe between its phones and the cloud",
        "icon": _ICON,
        "url": url,
        "extract_size": extract_size,
        "extract_sha256": extract_sha256,
        "image_download_size": image.stat().st_size,
        "release_date": date,
        # Imager would write firstrun.sh or user-data for "systemd" or "cloudinit"; a hub reads hikma-hub.toml instead.
        # Imager 1 takes "none" for "systemd" (its doc/os_customisation_formats.md); image/README.md warns of it.
        "init_format": "none",
        "devices": _DEVICES,
        "website": "https://www.hikmahealth.org",
    }


def main(words: list[str]) -> None:
    """Print the list for one image."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("image", type=Path)
    parser.add_argument("--url", required=True)
    parser.add_argument("--extract-size", type=int, required=True)
    parser.add_argument("--extract-sha256", required=True)
    parser.add_argument("--date", required=True, help="as 2026-01-31")
    given = vars(parser.parse_args(words))
    json.dump({"os_list": [entry(given.pop("image"), **given)]}, sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main(sys.argv[1:])
