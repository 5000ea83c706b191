"""Market data: frames, universe, calendar, bar tables, aggregation, quality.

Holds what a bar is and when it closes; polars tables on the way in, arrays from there on.
Must not import any other package of outcry, or read a file: sources live in ``outcry.adapters.sources``.
Start reading at ``frame.py``, then ``bar_table.py`` and ``pivot.py``.
"""
