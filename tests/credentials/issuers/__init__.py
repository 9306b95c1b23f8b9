"""Identity tokens: only what the issuer signed for us, and that is valid now, is believed (S121)."""
