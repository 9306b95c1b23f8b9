"""Many indexes in one server: which there are, and how each is put together of its holdings, bases and upstreams."""
