"""The phones' side: sealed requests in, sealed answers out."""
