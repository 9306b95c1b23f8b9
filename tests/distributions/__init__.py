"""Tests of what an uploaded file is."""
