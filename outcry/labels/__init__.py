"""Targets to learn, and splits of time to learn them honestly.

Holds: every target by name, the functions that compute them, the splits of time (``splits``), the weights of rows.
Must not import: models and later stages, adapters, Ray.
Start reading at: `outcry.labels.catalogue`.

`TripleBarrier`, `meta_labels`, `triple_barrier` in ``barrier``; `TARGETS`, `Target`, `TargetColumn`,
`compute_targets` in ``catalogue``; `TargetConfig` in ``config``; `direction_labels`, `up_labels`, `volatility_band` in
``direction``; `forward_returns`, `risk_adjusted_returns` in ``forward``; `bars_of_horizon`, `last_rows` in
``horizon``; `atr_band`, `event_labels` in ``large_move``; `forward_kelly`, `forward_sharpe`, `forward_volatility` in
``path``; `forward_efficiency`, `regime_labels` in ``regime``; `average_uniqueness`, `half_life_weights`,
`linear_decay_weights`, `normalise`, `return_weights`, `uniqueness_weights` in ``sample_weights``;
`continuation_labels`, `reversal_labels` in ``trend``
"""
