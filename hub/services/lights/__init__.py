"""Shows the hub's light on the lamps of the box, and hears its button, over gpiozero."""
