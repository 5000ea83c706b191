"""Measure a finished run.

Holds: returns and ratios, drawdowns, trades, profit by symbol, the benchmark, the bootstrap, forecast quality,
and what the best of many trials is worth (`sweep_evidence.py`).
Must not import: anything that runs a backtest, plotly, adapters.
Start reading at: `summary.py`, whose `analyse` turns a `RunHistory` into a `Summary`.
"""
