"""The machine that the hub runs on: what can be measured on it, and switching it off."""
