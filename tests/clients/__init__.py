"""Real installers and uploaders against real servers."""
