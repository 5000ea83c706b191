"""Sources of recorded bars: the packaged sample, Parquet and CSV.

Holds one file a source, and ``load.py``, which makes frames of any of them.
Must not import actors or configs.
Start reading at ``load.py``.
"""
