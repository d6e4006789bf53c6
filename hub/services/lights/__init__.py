"""Shows the state of the hub on its lights, and answers its button, over gpiozero."""
