"""Show a measured run.

Holds: the page with its charts, the terminal view, the words and formats of the figures.
Must not import: anything that runs a backtest, adapters.
Start reading at: `write.py` for files, `terminal.py` for the terminal.
"""
