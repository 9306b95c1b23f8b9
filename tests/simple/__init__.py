"""Tests of the simple repository API as values and pure functions."""
