"""Other indexes: their place. Nothing is asked of them yet."""
