"""Tests of the settings: where they come from, what they take, how they are shown and kept."""
