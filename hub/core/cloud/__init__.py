"""Decides what goes to the cloud and what comes from it: forms, merging, how a cycle ends."""
