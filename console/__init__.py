"""The commands of ``cli.py``, grouped, and how they print. The only home of click and rich beside ``cli.py``."""
