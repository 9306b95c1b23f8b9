"""Zips, as wheels and some sdists are: one reading, or a refusal."""
