"""What measures the server, beside nginx in one run: ``python -m benchmarks.run``."""
