"""Building blocks of networks: dropout, convolutions, attention, gates.

Holds: modules of torch over float32 (n_rows, lookback_bars, n_channels).
Must not import: anything of outcry outside this folder.
Start reading at: `outcry.models.neural.layers.dropout`.
"""
