"""The pages, one module each: what a visitor sees, and what a form on it does."""
