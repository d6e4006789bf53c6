"""Looks for updates in the places where they may lie."""

from pathlib import Path

from hub.core.errors import UpdateRefused
from hub.core.update import wishes
from hub.core.update.refusal import Refusal
from hub.core.update.wishes import Found, Source
from hub.services.update.places import Places
from hub.services.update.systems import Systems

_FILES_MAX = 8
"""Verifying one may take a minute."""


def lying(places: Places, source: Source) -> list[Path]:
    """Return the files that may be updates, of one place."""
    match source:
        case Source.STICK:
            return next(filter(None, map(_bundles, places.sticks)), [])
        case Source.UPLOAD:
            return [places.kept] if places.kept.exists() else []
        case Source.ADDRESS:
            return []


def look(box: Systems, places: Places, source: Source, *, current: str) -> tuple[Found, Path] | None:
    """Return the newest update that lies in a place and where, or why the first is none; None where nothing lies."""
    seen = {path: judge(box, path, source, current=current) for path in lying(places, source)}
    chosen = wishes.best(list(seen.values()))
    return next(((found, path) for path, found in seen.items() if found is chosen), None)


def judge(box: Systems, bundle: Path | str, source: Source, *, current: str) -> Found:
    """Return what a bundle is to this hub."""
    size = bundle.stat().st_size if isinstance(bundle, Path) and bundle.exists() else 0
    try:
        found = box.check(bundle, current=current, may_be_older=False)
    except UpdateRefused as error:
        return refused(source, error, size)
    return Found(source=source, version=found.version, size_bytes=size)


def refused(source: Source, error: UpdateRefused, size: int = 0) -> Found:
    """Return what was found with why it is refused."""
    version = error.values.get("version")
    return Found(source=source, version=version, size_bytes=size, refused=error.refusal.word, values=error.values)


def gone(error: UpdateRefused, bundle: Path | str) -> UpdateRefused:
    """Return why it was refused: a bundle that is not there any more was pulled out."""
    if isinstance(bundle, Path) and not bundle.exists() and error.refusal is not Refusal.ON_TRIAL:
        return UpdateRefused(Refusal.PULLED)
    return error


def _bundles(folder: Path) -> list[Path]:
    try:
        return sorted(path for path in folder.glob("*.raucb") if path.is_file())[-_FILES_MAX:]
    except OSError:
        return []
