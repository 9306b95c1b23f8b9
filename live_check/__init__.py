"""What ``test_server.py`` does, with nothing but the standard library: no line of the server is known here."""
