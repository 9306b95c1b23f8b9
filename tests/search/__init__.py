"""The search: what is found, in which order, by which mistakes, within which filters."""
