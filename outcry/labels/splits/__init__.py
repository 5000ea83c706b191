"""Folds over time that leak nothing from a test label into a training label.

Holds: one splitter a file, all of one protocol; what each must purge.
Must not import: features and their stages, models and later stages.
Start reading at: `outcry.labels.splits.splitter`.

`CombinatorialPurged` in ``combinatorial``; `HoldOut` in ``hold_out``; `PurgedKFold` in ``k_fold``; `Fold`, `Splitter`,
`last_frames`, `purged_folds` in ``splitter``; `PurgedWalkForward` in ``walk_forward``; `Scheme`, `WalkForwardWindows`,
`cut_spans` in ``windows``
"""
