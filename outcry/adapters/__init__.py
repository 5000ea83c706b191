"""The outside: PostgreSQL, Redis, files of bars, the clock.

Holds: the journal and its readers (`postgres`), the latest state of the floor (`redis_cache`), the servers from their
wheels (`embedded`, `services`), sources of bars (`sources`), packed feature state (`snapshots`), the system's clock.
Must not import: Ray. No other package of outcry imports this one.
Start reading at: `outcry.adapters.postgres.journal`, `outcry.adapters.sources.load`.
"""
