"""Passwords and tokens: how they are made, kept and checked. No database, no Flask."""
