"""Turns a freshly flashed card into a hub, and opens its data partition at every boot after."""
