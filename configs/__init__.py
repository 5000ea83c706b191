"""Settings: what may be configured, where it is read from, and the plan of a run they lead to.

Holds: the schema and the sections of the shells, the loader, the YAML of each mode, sectors of well-known symbols. The
sections of the domain live beside their components.
Must not import: actors, training, deployments, cli.
Start reading at: `configs.schema`, then `configs.loader` and `configs.plan`.
"""
