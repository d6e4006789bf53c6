"""What comes from the cloud and goes there."""
