"""The networks, one module a family; its ``build(params, n_channels)`` makes one.

Holds: `outcry.models.neural.network.Network` subclasses.
Must not import: data sets, storage.
Start reading at: `outcry.models.neural.network`, then `outcry.models.neural.networks.lstm`.
"""
