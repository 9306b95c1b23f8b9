"""What runs beside requests, or from the command line: import, sync, checks, flushing."""
