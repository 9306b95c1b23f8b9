"""Many indexes in one server."""
