"""What is done to this hub."""
