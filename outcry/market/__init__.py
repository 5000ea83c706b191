"""outcry/market."""
