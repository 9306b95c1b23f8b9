"""Attestations (PEP 740), with real ones that were recorded."""
