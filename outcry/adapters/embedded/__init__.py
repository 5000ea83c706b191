"""PostgreSQL and Redis from their wheels, started inside a directory of ours.

Holds: the life cycle that both share, and one file a server.
Must not import: anything of the domain.
Start reading at: `outcry.adapters.embedded.server`.
"""
