"""Tests of the commands of ``cli.py`` and of how they print."""
