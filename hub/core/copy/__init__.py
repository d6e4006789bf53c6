"""The copy journal: what a transaction changed, as state, sealed entry by entry for a stick beside the hub."""
