"""Relays between this hub and the cloud (CLOUD.md): pull, merge, push, and proof that it arrived."""
