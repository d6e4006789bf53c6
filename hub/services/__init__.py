"""What the hub does for its neighbours; each service talks to one of them, and all meet in the store."""
