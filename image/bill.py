"""Writes what the image is made of, as a CycloneDX 1.5 bill of materials: Debian's packages and Python's.

It is dated by SOURCE_DATE_EPOCH, so that advisories that came later can be told.
"""

import json
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from email.parser import HeaderParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

_SITE_PACKAGES = "opt/hikma-hub/lib/python3*/site-packages/*.dist-info/METADATA"


def bill(root: Path, made: datetime) -> dict[str, Any]:
    """Return the bill of a tree; in an order that two builds share."""
    components = [*_debian(root), *_python(root)]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {"timestamp": made.isoformat(), "component": {"type": "operating-system", "name": "Hikma Hub"}},
        "components": sorted(components, key=lambda component: str(component["purl"])),
    }


def _debian(root: Path) -> Iterator[dict[str, Any]]:
    parser = HeaderParser()
    for paragraph in (root / "var/lib/dpkg/status").read_text("utf-8").split("\n\n"):
        package = parser.parsestr(paragraph)
        if package["Status"] == "install ok installed":
            name, version, arch = package["Package"], package["Version"], package["Architecture"]
            yield _component(name, version, f"pkg:deb/debian/{name}@{quote(version)}?arch={arch}&distro=debian-13")


def _python(root: Path) -> Iterator[dict[str, Any]]:
    for path in root.glob(_SITE_PACKAGES):
        package = HeaderParser().parsestr(path.read_text("utf-8"))
        name, version = package["Name"], package["Version"]
        yield _component(name, version, f"pkg:pypi/{name.lower().replace('_', '-')}@{quote(version)}")


def _component(name: str, version: str, purl: str) -> dict[str, Any]:
    return {"type": "library", "name": name, "version": version, "purl": purl}


if __name__ == "__main__":
    made_at = datetime.fromtimestamp(int(os.environ["SOURCE_DATE_EPOCH"]), UTC)
    json.dump(bill(Path(sys.argv[1]), made_at), sys.stdout, indent=1)
    sys.stdout.write("\n")
