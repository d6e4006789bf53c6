"""What is read of and written into patients' records by people who work on the hub itself."""
