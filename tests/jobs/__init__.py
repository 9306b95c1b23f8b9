"""Tests of what runs beside requests."""
