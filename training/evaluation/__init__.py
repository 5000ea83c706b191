"""What each family and ensemble, and each alpha, is worth on real data: ``outcry evaluate``, ``outcry alphas``.

Holds: one window of a walk-forward (``window``), from settings to a table of models (``evaluate``) and of alphas
(``alphas``), and what trading any of them earns (``traded``).
Start reading at: `training.evaluation.evaluate`.
"""
