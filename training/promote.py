"""Whether a model may take the champion's place: the checks, and the figures each of them rests on."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from time import perf_counter
from typing import Any

import numpy as np

from configs.registry import RegistryConfig
from configs.schema import Settings
from outcry.adapters.registry.training_run import size_bytes
from outcry.adapters.sources.load import LoadedMarket
from outcry.errors import BundleError
from outcry.labels.direction import UNDEFINED
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.bundle import ModelBundle
from outcry.models.comparison import Comparison, compare
from training.prepare import Progress
from training.unseen import UnseenRows, ask, forecast_span, labels_of, span_after

BASE_RATES = "class frequencies"
_N_TIMED_CALLS = 101


@dataclass(frozen=True, slots=True)
class Check:
    """One condition of a promotion: what was found, against what, in words."""

    name: str
    holds: bool
    found: str
    rule: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """What `judge` found.

    Attributes
    ----------
    bundle_version : str
    rival : str
        Version of the champion's bundle; `BASE_RATES` where there is no champion.
    checks : tuple of Check
    comparison : Comparison or None
        Of the rival, first, and the model, second; None where there is nothing to compare on.
    n_rivals : int
        Models that were held against the same champion, this one included: the p-value counts so many times.
    """

    bundle_version: str
    rival: str
    checks: tuple[Check, ...]
    comparison: Comparison | None
    n_rivals: int

    @property
    def holds(self) -> bool:
        return all(check.holds for check in self.checks)

    @property
    def reason(self) -> str:
        """Every check that does not hold, or that all do."""
        failed = [f"{check.name} {check.found}, must be {check.rule}" for check in self.checks if not check.holds]
        return "; ".join(failed) if failed else f"better than {self.rival} by every check"

    def to_record(self) -> dict[str, Any]:
        """Return JSON values: what is recorded of it."""
        return asdict(self) | {"holds": self.holds, "reason": self.reason}


def judge(
    settings: Settings,
    market: LoadedMarket,
    model: ModelBundle,
    champion: ModelBundle | None,
    on_progress: Progress,
    *,
    n_rivals: int = 1,
) -> Judgement:
    """Hold a model against the champion on frames of the market that neither was trained on.

    Without a champion, it is held against the frequencies of the classes in the frames it may have seen: a model that
    is not better than those has nothing to say.

    Parameters
    ----------
    settings : Settings
        `registry` has the limits.
    market : LoadedMarket
    model, champion : ModelBundle
    on_progress : callable
    n_rivals : int
        See `Judgement`.

    Notes
    -----
    A target or feature set that differs from the champion's is a check that fails, and nothing is compared then: two
    targets have no common scale, and a floor computes one feature set.
    """
    config = settings.registry
    bundles = [model] if champion is None else [champion, model]
    checks = _same_contract(model, champion)
    if all(check.holds for check in checks):
        try:
            rows = forecast_span(settings, market, bundles, span_after(market, bundles, config.max_frames), on_progress)
        except BundleError as error:  # of the market or the features of these settings
            checks.append(Check("features", False, str(error), "those of the settings"))
        else:
            found, comparison = _compare(config, market, bundles, rows, n_rivals)
            return _judgement(model, champion, [*checks, *found, *_budgets(config, model, rows)], comparison, n_rivals)
    return _judgement(model, champion, checks, None, n_rivals)


def _judgement(
    model: ModelBundle,
    champion: ModelBundle | None,
    checks: Sequence[Check],
    comparison: Comparison | None,
    n_rivals: int,
) -> Judgement:
    rival = BASE_RATES if champion is None else champion.version
    return Judgement(model.version, rival, tuple(checks), comparison, n_rivals)


def _same_contract(model: ModelBundle, champion: ModelBundle | None) -> list[Check]:
    if champion is None:
        return []
    hashes = model.features_hash, champion.features_hash
    labels = model.manifest.label, champion.manifest.label
    return [
        Check("feature set", hashes[0] == hashes[1], hashes[0][:12], f"the champion's, {hashes[1][:12]}"),
        Check("target", labels[0] == labels[1], _told(labels[0]), f"the champion's, {_told(labels[1])}"),
    ]


def _told(label: Any) -> str:
    return ", ".join(f"{key} {value}" for key, value in label.model_dump(exclude_none=True).items())


def _compare(
    config: RegistryConfig, market: LoadedMarket, bundles: Sequence[ModelBundle], rows: UnseenRows, n_rivals: int
) -> tuple[list[Check], Comparison | None]:
    enough = Check("unseen frames", rows.n_frames >= config.min_frames, f"{rows.n_frames}", f">= {config.min_frames}")
    if rows.n_frames < 2:
        return [enough], None
    model = bundles[-1]
    rival = rows.probability[0] if len(bundles) > 1 else _base_rates(market, model, rows.frame)
    comparison = compare(rival, rows.probability[-1], rows.labels, rows.frame, horizon_bars=model.horizon_bars)
    test = comparison.test
    p_value = min(1.0, test.p_value * n_rivals)
    times = f" (of {n_rivals} models)" if n_rivals > 1 else ""
    least = f"> {config.min_gain_nats:g} nats a row" if config.min_gain_nats else "> 0 nats a row"
    ece_frac = comparison.second.ece_frac
    return [
        enough,
        Check("gain in log loss", test.gain_nats > config.min_gain_nats, f"{test.gain_nats:+.5f}", least),
        Check("p-value", p_value <= config.max_p_value, f"{p_value:.4f}{times}", f"<= {config.max_p_value:g}"),
        Check("calibration error", ece_frac <= config.max_ece_frac, f"{ece_frac:.4f}", f"<= {config.max_ece_frac:g}"),
    ], comparison


def _base_rates(market: LoadedMarket, model: ModelBundle, frame: IntArray) -> FloatArray:
    """Return how often each class came in the frames that the model may have seen, for each row (n_rows, 3)."""
    label = model.manifest.label
    n_seen = int(np.searchsorted(market.frames.ts_close_ns, model.manifest.last_ts_ns, side="right"))
    labels = labels_of(market.frames, label)[: max(n_seen - label.horizon_bars, 0)]
    counts = np.bincount(labels[labels != UNDEFINED], minlength=len(Direction)) + 1.0
    return np.tile(counts / counts.sum(), (len(frame), 1))


def _budgets(config: RegistryConfig, model: ModelBundle, rows: UnseenRows) -> list[Check]:
    values = np.where(np.isinf(rows.last_values), np.nan, rows.last_values)
    row_ms, frame_ms = (_median_ms(model, part, rows.columns) for part in (values[:, :1], values))
    size_mb = size_bytes(model) / 1e6
    n_symbols = values.shape[1]
    return [
        Check("time of one row", row_ms <= config.max_row_ms, f"{row_ms:.3f} ms", f"<= {config.max_row_ms:g} ms"),
        Check(
            f"time of {n_symbols} rows",
            frame_ms <= config.max_frame_ms,
            f"{frame_ms:.3f} ms",
            f"<= {config.max_frame_ms:g} ms",
        ),
        Check("size", size_mb <= config.max_size_mb, f"{size_mb:.2f} MB", f"<= {config.max_size_mb:g} MB"),
    ]


def _median_ms(model: ModelBundle, values: FloatArray, names: tuple[str, ...]) -> float:
    """Return the median time of a prediction, milliseconds; of fewer calls where one takes long."""
    seconds: list[float] = []
    while len(seconds) < _N_TIMED_CALLS and math.fsum(seconds) < 2.0:
        started = perf_counter()
        ask(model, values, names)
        seconds.append(perf_counter() - started)
    return float(np.median(seconds)) * 1e3
