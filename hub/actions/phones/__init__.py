"""What phones do."""
