"""outcry/adapters."""
