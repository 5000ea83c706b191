"""The model registry: MLflow's runs and versions, over its client and no server.

Holds: the way to its database or server (`connection`), versions with their aliases (`models`), what a training leaves
there (`training_run`).
Must not import: Ray. MLflow takes seconds to import: only functions that are called do it.
Start reading at: `outcry.adapters.registry.models`.
"""
