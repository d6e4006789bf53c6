"""Decides how the hub is called: its state, its lights, its label."""
