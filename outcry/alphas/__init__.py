"""Alphas: scores of symbols at one instant, made comparable, apart from each other, and weighed into one.

Holds: momentum and reversal of feature columns, the forecast of a model as a score; what is done across symbols at one
instant; what is fitted on the past: weights and orthogonal maps, with the purge of what is not known yet; all of it as
what a desk is told, frame by frame.
Must not import: portfolio and later stages, adapters, Ray.
Start reading at: `outcry.alphas.signal`; what there is: `outcry.alphas.catalogue`.

`Alpha`, `alpha_features`, `score_alphas` in ``alpha``; `ALPHAS`, `find_alpha` in ``catalogue``; `AlphaCombination`,
`combine_alphas` in ``combination``; `AlphasConfig`, `CombinationConfig` in ``config``; `rank`, `standardise`,
`winsorise` in ``cross_section``; `forecast_score` in ``forecast``; `information_coefficients`,
`rank_information_coefficients` in ``information``; `Limits`, `project` in ``limits``; `max_sharpe_weights` in
``max_sharpe``; `high`, `momentum`, `trend` in ``momentum``; `neutralise` in ``neutralise``; `apply_map`,
`gram_schmidt`, `keep_distinct`, `principal`, `second_moments`, `symmetric` in ``orthogonal``; `Payoffs`,
`measure_payoff` in ``payoffs``; `average_distance`, `oscillator`, `reversal` in ``reversal``; `AlphaScorer` in
``scorer``; `AlphaSignal`, `SignalHistory`, `edge_probability` in ``signal``; `equal_weights`, `ic_weights`,
`inverse_volatility_weights`, `sharpe_weights` in ``weighting``
"""
