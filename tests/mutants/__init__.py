"""Changes the hub's source in small ways and sees whether a quick test notices: ``make mutants``."""
