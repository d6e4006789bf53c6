"""Changes the settings file: what else stands there stays, comments too, and a power cut leaves the old or the new."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from hub import files
from hub.core.errors import SettingError
from hub.late import Late
from hub.settings import reading

if TYPE_CHECKING:
    import tomlkit
else:
    tomlkit = Late("tomlkit")

Values = Mapping[tuple[str, str], reading.Value]
"""Values by section and key."""


def amend(path: Path, values: Values) -> None:
    """Put ``values`` into the file, which is made where there is none.

    Raises SettingError when the file is wrong already, when it cannot be written, or when it is written in a way in
    which a value has no place; then nothing is changed.
    """
    try:
        before = path.read_bytes().decode("utf-8-sig") if path.exists() else ""
        reading.read(before, str(path))
        after = _amended(before, values)
        now = reading.read(after, str(path))
        if any(getattr(getattr(now, section), key) != value for (section, key), value in values.items()):
            raise SettingError(f"{path} cannot be edited safely; change it by hand")
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        files.replace(path, [after.encode()], mode=mode)
    except (tomlkit.exceptions.TOMLKitError, UnicodeDecodeError) as error:
        raise SettingError(f"{path}: {error}") from error
    except OSError as error:
        raise SettingError(f"{path} cannot be written: {error.strerror}") from error


def _amended(text: str, values: Values) -> str:
    given = tomllib.loads(text)
    document = tomlkit.parse(_uncommented(text, (name for name in values if name[1] not in given.get(name[0], {}))))
    for (section, key), value in values.items():
        if section not in document:
            document[section] = tomlkit.table()
        document[section][key] = value
    return tomlkit.dumps(document)


def _uncommented(text: str, keys: Iterable[tuple[str, str]]) -> str:
    """Bring the template's ``#key = default`` lines to life, so that a value stands where its comment is."""
    for section, key in keys:
        waiting = re.compile(rf"(?ms)^(\[{section}\][^\[]*?)^#{key} = [^\r\n]*")
        text = waiting.sub(rf"\1{key} = 0", text, count=1)
    return text
