"""Market data: frames, universe, calendar, bar tables, aggregation, quality.

Holds: what a bar is and when it closes; polars tables on the way in, arrays from there on.
Must not import: any later stage of outcry, or read a file: sources live in ``outcry.adapters.sources``.
Start reading at: `outcry.market.frame`, then ``bar_table`` and ``pivot``.
"""
