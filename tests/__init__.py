"""The tests, a file or a folder for each module; ``tests.factory`` builds the files that they upload."""
