"""The copy journal's side of the database: which rows a transaction changed, and putting rows back."""
