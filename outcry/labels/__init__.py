"""Targets to learn, and splits of time to learn them honestly.

Holds: the direction label and its neutral band, the purged walk-forward split.
Must not import: models and later stages, adapters, Ray.
Start reading at: `outcry.labels.direction`.

`PurgedWalkForward` in ``split``; `direction_labels`, `volatility_band` in ``direction``
"""
