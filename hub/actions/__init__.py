"""What the hub does: one function is one transaction is one idea."""
