"""Positions, cash, and the wish for new ones.

Holds: exact accounting, volatility-targeted sizing, rebalancing.
Must not import: risk and later stages, adapters, Ray.
Start reading at: `outcry.portfolio.portfolio`.

`decide_by_alphas` in ``alpha_sizing``; `Portfolio`, `PortfolioState` in ``portfolio``; `PortfolioConfig` in ``config``;
`PortfolioConstruction` in ``construction``
"""
