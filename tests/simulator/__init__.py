"""Model phones and a synthetic clinic, to see the hub work and to test it."""
