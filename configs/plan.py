"""A run, decided: everything an actor, a backtest or a replay needs to build the same domain objects.

Every actor reads a plan, and few of them compute: what does is imported where it is asked for, as the kernels and their
compiler take half a second of each process.
"""

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from configs.features import FeaturesConfig
from configs.schema import Settings
from outcry.backtest.benchmark import Benchmark
from outcry.execution.dry_broker import DryBroker
from outcry.market.calendar import TradingCalendar
from outcry.market.frame import IntArray
from outcry.market.sessions import Sessions
from outcry.market.universe import Universe

if TYPE_CHECKING:
    from outcry.alphas.signal import AlphaSignal
    from outcry.execution.simulated_broker import SimulatedBroker
    from outcry.features.engine import FeatureEngine
    from outcry.features.feature_set import FeatureSet
    from outcry.features.universe_features import UniverseFeatures
    from outcry.portfolio.construction import PortfolioConstruction
    from outcry.portfolio.portfolio import Portfolio
    from outcry.risk.gate import RiskGate

_MARGIN_NS = 100 * 86_400 * 10**9  # features look to the end of the month and the quarter


@dataclass(frozen=True, slots=True, eq=False)
class RunPlan:
    """Fix a run before it starts.

    Attributes
    ----------
    run_id : str
    settings : Settings
    universe : Universe
    sessions : Sessions
        From before the first warm-up frame to after the last frame.
    calendar : str
    bar_ns : int
    bars_per_year : float
    first_row : int
        Row of frame 0 in the market data.
    last_seq : int
        The last frame of the run.
    fingerprint : str
        Of the market data the run trades; a resumed run must find the same.
    bundle_path : Path
    bundle_version : str
    lookback_bars : int
        Rows of the longest window that the bundle reads, that of the decision bar included.
    benchmark : Benchmark or None
        What the report measures the run against; None for buying and holding its universe.
    """

    run_id: str
    settings: Settings
    universe: Universe
    sessions: Sessions
    calendar: str
    bar_ns: int
    bars_per_year: float
    first_row: int
    last_seq: int
    fingerprint: str
    bundle_path: Path
    bundle_version: str
    lookback_bars: int = 1
    benchmark: Benchmark | None = None

    @property
    def window_bars(self) -> int:
        """Frames whose features are kept for windows; 1 where no model may read one."""
        return max(self.lookback_bars, self.settings.floor.window_bars)

    @property
    def feature_set(self) -> "FeatureSet":
        """The columns this run computes."""
        return resolve_features(self.settings.features, self.bar_ns, self.universe.symbols)

    def build_features(self, columns: tuple[str, ...] = (), *, window_bars: int = 1) -> "UniverseFeatures":
        """Return the features of the whole universe, before the first frame; only these columns, where some are named.

        A column has the same values whatever else is computed. `window_bars` rows of it are kept.
        """
        from outcry.features.universe_features import UniverseFeatures

        features = self.feature_set
        if columns:
            config = self.settings.features.model_copy(update={"columns": columns, "exclude": ()})
            features = resolve_features(config, self.bar_ns, self.universe.symbols)
        n_threads = self.settings.features.n_threads
        return UniverseFeatures(
            features,
            self.universe,
            self.sessions,
            self.bars_per_year,
            n_threads=n_threads,
            window_bars=window_bars,
        )

    def build_engine(self, n_symbols: int) -> "FeatureEngine":
        """Return a feature engine for `n_symbols` of the universe."""
        from outcry.features.engine import FeatureEngine

        return FeatureEngine(
            self.feature_set, n_symbols, self.sessions, self.bars_per_year, window_bars=self.window_bars
        )

    def build_portfolio(self) -> "Portfolio":
        """Return the portfolio before its first fill."""
        from outcry.portfolio.portfolio import Portfolio

        return Portfolio(self.universe, self.settings.broker.initial_cash)

    def build_construction(self) -> "PortfolioConstruction":
        """Return what turns forecasts into wanted orders."""
        from outcry.portfolio.construction import PortfolioConstruction

        return PortfolioConstruction(self.run_id, self.universe, self.settings.portfolio)

    def build_gate(self) -> "RiskGate":
        """Return the risk gate before its first frame."""
        from outcry.risk.gate import RiskGate

        return RiskGate(self.run_id, self.universe, self.settings.risk, self.sessions)

    def build_alphas(self) -> "AlphaSignal":
        """Return the signal of the alphas, before its first frame."""
        from outcry.alphas.signal import AlphaSignal

        return AlphaSignal(
            self.settings.alphas,
            self.universe,
            self.sessions,
            self.bars_per_year,
            self.bar_ns,
            n_threads=self.settings.features.n_threads,
        )

    def build_broker(self) -> "SimulatedBroker | DryBroker":
        """Return the broker of the mode, before its first order."""
        from outcry.execution.simulated_broker import SimulatedBroker

        if self.settings.mode == "dry":
            return DryBroker(len(self.universe))
        return SimulatedBroker(self.universe, self.settings.broker, self.sessions)

    def shard_indices(self, shard: int) -> IntArray:
        """Return the columns of the universe that `shard` owns; a stable hash of the symbol decides."""
        n_shards = self.settings.floor.n_shards
        owners = [_stable_hash(symbol) % n_shards for symbol in self.universe.symbols]
        return np.flatnonzero(np.array(owners) == shard)


def resolve_features(config: FeaturesConfig, bar_ns: int, symbols: tuple[str, ...]) -> "FeatureSet":
    """Return the feature set of a configuration; it is resolved once in a process."""
    return _resolve(config.model_dump_json(), bar_ns, symbols)


@cache
def _resolve(config: str, bar_ns: int, symbols: tuple[str, ...]) -> "FeatureSet":
    from outcry.features.feature_set import build_feature_set

    return build_feature_set(FeaturesConfig.model_validate_json(config), bar_ns, symbols)


def sessions_around(calendar: TradingCalendar, first_ts_ns: int, last_ts_ns: int) -> Sessions:
    """Return the sessions of a span and of some days on either side."""
    return calendar.sessions(first_ts_ns - _MARGIN_NS, last_ts_ns + _MARGIN_NS)


def _stable_hash(symbol: str) -> int:
    return int.from_bytes(hashlib.blake2b(symbol.encode(), digest_size=8).digest(), "big")
