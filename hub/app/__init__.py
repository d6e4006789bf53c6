"""What the hub is made of, put together: the server, backups, the copy, support files."""
