"""The market of a backtest as compiled code: when an order trades, at what price, for how much, and whether it is paid.

Must not import: a broker, adapters, Ray.
Start reading at: `outcry.execution.kernels.bar`.
"""
