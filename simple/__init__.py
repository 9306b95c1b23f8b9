"""The simple repository API as values and pure functions: no network, no database, no Flask."""
