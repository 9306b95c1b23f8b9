"""Trusted publishers: only the job that somebody configured may publish, and no other that looks like it."""
