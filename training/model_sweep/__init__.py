"""The search for the parameters of a model, as trials of Ray Tune: ``outcry sweep``.

Holds: what is searched (``space``), what all trials share (``market``), one trial (``trial``), the trials on a cluster
(``tuner``), and the whole of it (``search``). The trials of a trading grid are elsewhere: ``training.sweep``.
Start reading at: `training.model_sweep.search`.
"""
