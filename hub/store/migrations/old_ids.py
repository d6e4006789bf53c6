"""Brings ids that earlier releases stored in capitals, braces or without dashes into one form. Frozen as the SQL is.

What has the same id in its usual form already takes in what the other row holds. The old row stays as a tombstone that
no phone hears of: a phone that still has it there keeps what it has yet to push, which becomes the record's.
"""

import json
import re
from typing import Any, NamedTuple

from sqlite_utils import Database

_TABLES = (
    *("clinics", "user_clinic_permissions", "app_config", "registration_forms", "event_forms", "clinic_departments"),
    *("drug_catalogue", "clinic_inventory", "patients", "patient_additional_attributes", "visits", "events"),
    *("patient_vitals", "patient_problems", "appointments", "prescriptions", "prescription_items"),
    "dispensing_records",
)
_BY_NUMBER = ("cloud_seen", "cloud_lost", "went_along", "counter_steps", "counter_figures", "beyond")
"""Tables that hold a record's number beside the table's name."""
_NAMES = (
    *("id", "patient_id", "visit_id", "clinic_id", "primary_clinic_id", "pickup_clinic_id", "user_id", "provider_id"),
    *("form_id", "event_id", "drug_id", "batch_id", "prescription_id", "prescription_item_id", "current_visit_id"),
    *("fulfilled_visit_id", "recorded_by_user_id", "last_modified_by", "filled_by", "dispensed_by"),
)
_NAMED = re.compile(rf'(?<=[{{,])"({"|".join(_NAMES)})":"([^"\\]+)"')
"""Texts inside texts have their quotes escaped, so that this finds the record's own columns alone."""
_USUAL = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ANY_FORM = re.compile(r"(?:urn:uuid:)?(\{?)([0-9a-f]{4}(?:-?[0-9a-f]{4}){7})(\}?)", re.ASCII | re.IGNORECASE)
_BLANK = (None, "", 0, False, "{}", "[]")


class _Row(NamedTuple):
    num: int
    id: str
    data: str
    cut: int | None
    deleted: int | None


def fill(db: Database) -> None:
    """Fold every id and every reference."""
    db.conn.create_function("odd", 2, _is_odd, deterministic=True)
    odd = {table: _rows(db, table, "odd(data, cut)") for table in _TABLES}
    if any(odd.values()):
        now_ms = int(db.execute("SELECT value FROM hub WHERE key = 'time'").fetchone()[0]) + 1
        db.execute("UPDATE hub SET value = ? WHERE key = 'time'", [now_ms])
        for table, rows in odd.items():
            for row in rows:
                _fold(db, table, row, now_ms)
        copied = "EXISTS (SELECT 1 FROM hub WHERE key = 'copy')"
        db.execute(f"INSERT INTO copy_log (at, changed) SELECT ?, NULL WHERE {copied}", [now_ms])
    held = db.execute("SELECT num, record_id, parent FROM quarantine").fetchall()
    for num, record_id, parent in held:
        usual = _usual_key(record_id), _usual_key(parent)
        if usual != (record_id, parent):
            db.execute("UPDATE quarantine SET record_id = ?, parent = ? WHERE num = ?", [*usual, num])


def _fold(db: Database, table: str, row: _Row, now_ms: int) -> None:
    record_id, (data, cut) = _usual(row.id), _folded(row.data, row.cut)
    twins = [twin for twin in _rows(db, table, "id = ?", record_id) if twin.num != row.num]
    if not twins:
        if record_id == row.id or row.deleted is not None:
            _write(db, table, row.num, record_id, data, cut)
            _change(db, table, row.num, now_ms)
        else:
            _move(db, table, row.num, _copy(db, table, row.num, record_id, data, cut, now_ms))
    elif row.deleted is None:
        twin = twins[0]
        if twin.deleted is None:
            data, cut = _united(_folded(twin.data, twin.cut), (data, cut))
        _write(db, table, twin.num, record_id, data, cut)
        _change(db, table, twin.num, now_ms)
        db.execute(f"UPDATE [{table}] SET local_server_deleted_at = NULL WHERE num = ?", [twin.num])
        _move(db, table, row.num, twin.num)


def _copy(db: Database, table: str, num: int, record_id: str, data: str, cut: int | None, now_ms: int) -> int:
    """Make another row of a record; returns its number."""
    columns = [name for _, name, *_ in db.execute(f"PRAGMA table_info([{table}])")]
    same = ", ".join(f"[{name}]" for name in columns if name not in {"num", "id"})
    new = int(db.execute(f"SELECT max(num) + 1 FROM [{table}]").fetchone()[0])
    source = f"SELECT ?, ?, {same} FROM [{table}] WHERE num = ?"
    db.execute(f"INSERT INTO [{table}] (num, id, {same}) {source}", [new, record_id, num])
    _write(db, table, new, record_id, data, cut)
    db.execute(f"UPDATE [{table}] SET local_server_created_at = ?, origin = 0 WHERE num = ?", [now_ms, new])
    _change(db, table, new, now_ms)
    return new


def _write(db: Database, table: str, num: int, record_id: str, data: str, cut: int | None) -> None:
    """Write a record, and what repeats values of it."""
    values = json.loads(data)
    keys = [name for _, name, *_ in db.execute(f"PRAGMA table_info([{table}])") if name in _NAMES and name != "id"]
    sets = "".join(f", [{key}] = ?" for key in keys)
    db.execute(
        f"UPDATE [{table}] SET id = ?, data = ?, cut = ?{sets} WHERE num = ?",
        [record_id, data, cut, *[values.get(key) for key in keys], num],
    )


def _change(db: Database, table: str, num: int, now_ms: int) -> None:
    """Let every phone have a record, as it is now."""
    db.execute(f"UPDATE [{table}] SET local_server_last_modified = ?, device = 0 WHERE num = ?", [now_ms, num])


def _move(db: Database, table: str, old: int, new: int) -> None:
    """Give a record's new row what the hub knows of it, and bury the old one without telling phones."""
    db.execute("UPDATE OR REPLACE outbox SET num = ? WHERE table_name = ? AND num = ?", [new, table, old])
    for name in _BY_NUMBER:
        db.execute(f"UPDATE OR IGNORE {name} SET num = ? WHERE table_name = ? AND num = ?", [new, table, old])
    if table == "clinic_inventory":
        db.execute("UPDATE OR IGNORE counters_entered SET num = ? WHERE num = ?", [new, old])
    db.execute(f"UPDATE [{table}] SET local_server_deleted_at = local_server_last_modified WHERE num = ?", [old])


def _united(one: tuple[str, int | None], other: tuple[str, int | None]) -> tuple[str, int | None]:
    """Return the newer of two records, its blanks filled in from the older one."""
    (data, cut), (older, _) = sorted((one, other), key=lambda each: _updated_at(each[0]), reverse=True)
    end = len(data) if cut is None else cut
    known, filling = json.loads(data[:end] + ("" if cut is None else "}")), json.loads(older)
    for name, value in known.items():
        if value in _BLANK and filling.get(name) not in _BLANK:
            known[name] = filling[name]
    head = json.dumps(known, ensure_ascii=False, separators=(",", ":"))
    return (head, None) if cut is None else (head[:-1] + data[end:], len(head) - 1)


def _updated_at(data: str) -> float:
    value: Any = json.loads(data).get("updated_at")
    return float(value or 0)


def _rows(db: Database, table: str, where: str, *values: str) -> list[_Row]:
    sql = f"SELECT num, id, data, cut, local_server_deleted_at FROM [{table}] WHERE {where} ORDER BY num"
    return [_Row(*row) for row in db.execute(sql, list(values)).fetchall()]


def _is_odd(data: str, cut: int | None) -> bool:
    return any(_usual(found[2]) != found[2] for found in _NAMED.finditer(data, 0, len(data) if cut is None else cut))


def _folded(data: str, cut: int | None) -> tuple[str, int | None]:
    end = len(data) if cut is None else cut
    head = _NAMED.sub(lambda found: f'"{found[1]}":"{_usual(found[2])}"', data[:end])
    return head + data[end:], None if cut is None else len(head)


def _usual(text: str) -> str:
    """Return a uuid in lower case, with dashes and without braces; the very same text where it is none."""
    found = None if _USUAL.fullmatch(text) else _ANY_FORM.fullmatch(text)
    if found is None or bool(found[1]) != bool(found[3]):
        return text
    digits = found[2].replace("-", "").lower()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def _usual_key(text: str | None) -> str | None:
    """Return a table and an id, or an id alone, with the id in its usual form."""
    if text is None:
        return None
    table, slash, record_id = text.rpartition("/")
    return table + slash + _usual(record_id)
