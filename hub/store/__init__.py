"""What the hub remembers: one SQLite file, and the only place with SQL."""
