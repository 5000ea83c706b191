"""The ledger of every run, in PostgreSQL.

Holds: the schema's migrations, the two writers of a run (frames; orders and fills), and readers that need no
writer alive.
Must not import: Ray, or anything above `outcry`.
Start reading at: `outcry.adapters.postgres.journal`.
"""
