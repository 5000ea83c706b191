"""The ledger of every run, in PostgreSQL.

Holds: the schema's migrations, the one writer of a run, and readers that need no writer alive.
Must not import: Ray, or anything above `outcry`.
Start reading at: `outcry.adapters.postgres.journal`.
"""
