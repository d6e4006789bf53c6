"""The state of the hub, its lights and its printed label."""
