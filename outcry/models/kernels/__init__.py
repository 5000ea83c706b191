"""The compiled trees of the ensemble: backtest, desk and served replica run the same machine code.

Holds: `forest`, and `known`, which rows it is asked for; `votes`, `stacking`, `regimes` and `performance` of combiners.
Must not import: the rest of `outcry.models`; nor be imported by settings, which every command reads.
Start reading at: `outcry.models.kernels.forest`.
"""
