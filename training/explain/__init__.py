"""What moves the forecasts of a bundle: contributions of columns, importance, attention, drift.

Holds: what is measured, on rows that no member was trained on. What was found is an `Explanation` of
``outcry.models.explanation``; the pages show it.
Must not import: cli, deployments.
Start reading at: `training.explain.explain`.
"""
