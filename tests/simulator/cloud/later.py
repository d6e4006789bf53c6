"""Tables that a later cloud takes: it keeps whatever is pushed to them, and shows all of it in every pull."""

import msgspec


class LaterTables:
    """The rows of such tables, by name and id; a cloud of today has none."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, dict[str, object]]] = {}
        self.ignores = False
        """It says success to a push and keeps nothing of it."""

    def shown(self, answer: bytes) -> bytes:
        """Add them to the answer to a pull."""
        if not self.rows:
            return answer
        read = msgspec.json.decode(answer)
        for name, rows in self.rows.items():
            read["changes"][name] = {"created": list(rows.values()), "updated": [], "deleted": []}
        return msgspec.json.encode(read)

    def take(self, body: bytes) -> None:
        """Keep what a push that was taken has of them."""
        if not self.rows or self.ignores:
            return
        changes = msgspec.json.decode(body)
        for name in self.rows.keys() & changes.keys():
            part = changes[name]
            self.rows[name].update({row["id"]: row for row in (*part.get("created", ()), *part.get("updated", ()))})
            for row_id in part.get("deleted", ()):
                self.rows[name].pop(row_id, None)
