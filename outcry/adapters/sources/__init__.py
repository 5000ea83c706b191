"""Sources of recorded bars: the packaged sample, Parquet and CSV.

Holds: one file a source, and ``load.py``, which makes frames of any of them.
Must not import: Ray, or anything above `outcry`.
Start reading at: `outcry.adapters.sources.load`.
"""
