"""Trusted publishing: a job that its provider vouches for gets a token for some minutes, and uploads with it."""
