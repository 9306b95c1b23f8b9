"""Passkeys: with a device made of software, and with a real Chromium."""
