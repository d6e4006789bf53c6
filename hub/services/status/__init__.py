"""The status of the hub: gathered often, watched by the pages, written for the other processes of the machine."""
