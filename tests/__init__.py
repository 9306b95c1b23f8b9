"""The tests, one file a module; ``tests.factory`` builds the files that they upload."""
