"""Lets ``python -m hub.cli`` be ``hikma-hub``."""

from hub.cli import main

main()
