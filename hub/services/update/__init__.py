"""Changes which system of the box starts, and asks RAUC about bundles."""
