"""From settings to tables: what each alpha is worth, and all of them together, out of sample and after costs."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from configs.plan import sessions_around
from configs.schema import Settings
from configs.sectors import load_sectors
from outcry.adapters.sources.load import load_market
from outcry.alphas.cross_section import rank
from outcry.alphas.signal import AlphaSignal, SignalHistory, edge_probability
from outcry.backtest.analytics.alpha_skill import AlphaSkill, alpha_correlations, alpha_skill
from outcry.backtest.analytics.benchmark import buy_and_hold
from outcry.backtest.analytics.return_metrics import sharpe_ratio
from outcry.backtest.analytics.session_returns import session_returns, sessions_per_year
from outcry.backtest.history import AssumedCosts
from outcry.backtest.warm_up import LOOP, warm_up
from outcry.errors import DataNotFoundError
from outcry.market.frame import FloatArray
from training.evaluation.traded import TradedFigures, TradedMarket, trade_candidate
from training.prepare import KERNELS_STEP, Progress

COMBINED = "all together"


@dataclass(frozen=True, slots=True)
class AlphaFigures:
    """A row of the table.

    Attributes
    ----------
    name : str
    skill : AlphaSkill
    traded : TradedFigures
        Of the ranks of its scores, sized as those of a desk are.
    mean_weight : float or None
        Among all alphas; None for all together.
    """

    name: str
    skill: AlphaSkill
    traded: TradedFigures
    mean_weight: float | None


@dataclass(frozen=True, slots=True)
class AlphaEvaluation:
    """Tables, and what they are of.

    Attributes
    ----------
    source : str
    n_symbols, n_frames, horizon_bars : int
        Frames from the first in which every alpha and their sum know two symbols.
    span_ns : tuple of int
        Closes of the first and the last of these.
    horizons : tuple of int
        Bars; of the decay.
    rows : tuple of AlphaFigures
        The alphas, then all together, with weights that are fitted to the past of each frame.
    correlations : tuple of tuple of float
        Of the alphas with one another, see `alpha_correlations`.
    universe_sharpe : float or None
        Of buying and holding the universe over the same frames, without costs.
    """

    source: str
    n_symbols: int
    n_frames: int
    horizon_bars: int
    span_ns: tuple[int, int]
    horizons: tuple[int, ...]
    rows: tuple[AlphaFigures, ...]
    correlations: tuple[tuple[float, ...], ...]
    universe_sharpe: float | None

    def to_record(self) -> dict[str, Any]:
        """Return nested plain values."""
        record = asdict(self)
        record["rows"] = [row | {"traded": row["traded"]._asdict()} for row in record["rows"]]
        return record


def evaluate_alphas(settings: Settings, on_progress: Progress) -> AlphaEvaluation:
    """Grade the alphas of the settings and their sum on every frame, and trade each.

    The formulas learn nothing; the weights of the sum are those of a desk, from the past of each frame.

    Parameters
    ----------
    settings : Settings
        Section `alphas`, whose forecast is left out: `training.evaluation.evaluate` grades what models say.
    on_progress : callable
        Called with the name of a step and its fraction done.

    Raises
    ------
    ConfigurationError, DataError
        As `load_market` and `AlphaSignal`.
    DataNotFoundError
        Where no frame follows the warm-up of the features.
    """
    on_progress("load market data", 0.0)
    loaded = load_market(settings.market, load_sectors())
    on_progress("load market data", 1.0)
    alphas = settings.alphas.model_copy(update={"forecast": False, "trade": True})
    settings = settings.model_copy(update={"alphas": type(alphas).model_validate(dict(alphas))})
    frames, bars_per_year = loaded.frames, loaded.calendar.bars_per_year(loaded.bar_ns)
    sessions = sessions_around(loaded.calendar, int(frames.ts_close_ns[0]), int(frames.ts_close_ns[-1]))
    signal = AlphaSignal(
        settings.alphas,
        loaded.universe,
        sessions,
        bars_per_year,
        loaded.bar_ns,
        n_threads=settings.features.n_threads,
    )
    warm_up(signal.features, partial(on_progress, KERNELS_STEP), others=(LOOP,))
    on_progress("score", 0.0)
    said = signal.replay(frames)
    start = _first_known(said)
    market = TradedMarket(settings, loaded.universe, sessions, bars_per_year, frames, start, len(frames))
    close, horizons = frames.continuous().close[start:], decay_horizons(settings.alphas.horizon_bars)
    rows = []
    for place, name in enumerate((*signal.names, COMBINED)):
        on_progress("grade", place / (len(signal.names) + 1))
        is_one = place < len(signal.names)
        score = (said.scores[place] if is_one else said.score)[start:]
        skill = alpha_skill(score, close, settings.alphas.horizon_bars, horizons)
        traded = trade_candidate(market, name, edge_probability(rank(score)), said.volatility_per_year[start:])
        rows.append(AlphaFigures(name, skill, traded, float(said.weights[start:, place].mean()) if is_one else None))
    on_progress("grade", 1.0)
    return AlphaEvaluation(
        source=settings.market.source,
        n_symbols=frames.n_symbols,
        n_frames=len(frames) - start,
        horizon_bars=settings.alphas.horizon_bars,
        span_ns=(int(frames.ts_close_ns[start]), int(frames.ts_close_ns[-1])),
        horizons=horizons,
        rows=tuple(rows),
        correlations=_rows(alpha_correlations(said.scores[:, start:])),
        universe_sharpe=_universe_sharpe(market, close),
    )


def decay_horizons(horizon_bars: int) -> tuple[int, ...]:
    """Return the horizons at which the decay of an alpha is told: from a bar to twelve times that of the settings."""
    return tuple(sorted({1, horizon_bars, 2 * horizon_bars, 4 * horizon_bars, 12 * horizon_bars}))


def _first_known(said: SignalHistory) -> int:
    """Return the first frame in which every alpha and their sum know two symbols."""
    n_known = np.isfinite(np.concatenate((said.scores, said.score[np.newaxis]))).sum(axis=2)
    is_known = (n_known > 1).all(axis=0)
    if not is_known.any():
        raise DataNotFoundError(
            f"{len(is_known)} frames must be more than the windows of the alphas, and two symbols must have bars in one"
        )
    return int(np.argmax(is_known))


def _universe_sharpe(market: TradedMarket, close: FloatArray) -> float | None:
    ts_close_ns = market.frames.ts_close_ns[market.start :]
    held = buy_and_hold(close, 1.0, AssumedCosts(slippage_bps=0.0))
    per_year = sessions_per_year(ts_close_ns, market.bars_per_year)
    free = market.settings.report.risk_free_per_year
    return sharpe_ratio(session_returns(ts_close_ns, held, 1.0), per_year, free)


def _rows(table: FloatArray) -> tuple[tuple[float, ...], ...]:
    rows: Sequence[Sequence[float]] = table.tolist()
    return tuple(tuple(row) for row in rows)
