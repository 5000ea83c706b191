"""The domain: deterministic, no Ray, no I/O at import.

Holds: everything that decides, from market data to the report of a run, and the adapters, its only way outside.
Must not import: Ray, or any other package of this repository.
Start reading at: `outcry.desk`, then `outcry.ports` and `outcry.messages`.
"""
