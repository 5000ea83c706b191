"""outcry."""
