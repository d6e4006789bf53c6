"""Asks PyPI's advisory database about every locked library: ``make audit``.

Exits with 1 when an advisory is known for one, with 2 when the database did not answer for all of them.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

_LOCKS = ("requirements.lock", "requirements-dev.lock", "ansible/requirements.lock")
_AUDIT = (".venv/bin/uv", "tool", "run", "--quiet", "pip-audit==2.9.0", "--disable-pip", "--require-hashes")
_AS_JSON = ("--progress-spinner", "off", "--format", "json", "--requirement")


def verdict(lock: str, libraries: Sequence[dict[str, Any]]) -> tuple[int, str]:
    """Return the exit status, and what to say, of the libraries of a lock as pip-audit tells them."""
    asked = [library for library in libraries if "skip_reason" not in library]
    found = [
        f"  {library['name']} {library['version']}: {flaw['id']}, mended in {', '.join(flaw['fix_versions']) or 'none'}"
        for library in asked
        for flaw in library["vulns"]
    ]
    if found:
        return 1, "\n".join([f"{lock}: {len(found)} advisories", *found])
    if not libraries or len(asked) < len(libraries):
        told = f"{len(libraries) - len(asked)} of {len(libraries)}" if libraries else "any"
        return 2, (
            f"{lock}: NOT CHECKED, the advisory database (pypi.org/pypi/NAME/VERSION/json) gave no answer for {told}"
            " libraries. Their versions are in the lock and in the bill of materials; ask again where it can be reached"
        )
    return 0, f"{lock}: no advisory is known for its {len(asked)} libraries"


def _libraries(lock: str) -> list[dict[str, Any]]:
    done = subprocess.run((*_AUDIT, *_AS_JSON, lock), capture_output=True, text=True, check=False)  # noqa: S603
    sys.stderr.write("" if done.stdout else done.stderr)
    return list(json.loads(done.stdout)["dependencies"]) if done.stdout.startswith("{") else []


def main() -> None:
    """Ask about every lock."""
    told = [verdict(lock, _libraries(lock)) for lock in _LOCKS]
    sys.stdout.write("".join(f"{said}\n" for _, said in told))
    statuses = {status for status, _ in told}
    sys.exit(1 if 1 in statuses else max(statuses))


if __name__ == "__main__":
    main()
