"""The compiled decisions of the risk gate: the desk and the compiled backtest run the same machine code.

Holds: where numbers stand (``layout``), and kernels over arrays.
Must not import: messages, decimals, anything that allocates.
Start reading at: `outcry.risk.kernels.review`.
"""
