"""Explain a bundle: what moves its forecasts, on rows that none of its members was trained on."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from configs.schema import Settings
from outcry.adapters.sources.load import LoadedMarket
from outcry.market.frame import FloatArray, IntArray
from outcry.models.bundle import ModelBundle, load_members
from outcry.models.evaluation import score
from outcry.models.explanation import ENSEMBLE, Contributions, Drift, Explanation
from outcry.models.family import Model, WindowModel
from outcry.models.member import Member
from outcry.models.reliability import reliability_curves
from training.explain.attention import attention_profile
from training.explain.drift import stability_index
from training.explain.exact import exact_shapley
from training.explain.importance import measure_importance
from training.explain.sample import Sample, read_rows
from training.explain.shapley import Predict, Shapley, sample_shapley
from training.prepare import Progress
from training.selection.filters import cluster_columns

CONTRIBUTIONS_STEP = "contributions of columns"
IMPORTANCE_STEP = "importance of columns"


@dataclass(frozen=True, slots=True)
class ExplainOptions:
    """How much is looked at.

    Attributes
    ----------
    max_rows : int
        Of the test fold; whole frames, evenly spaced.
    n_explained_rows : int
        Of these, how many have contributions.
    n_background_rows : int
        Rows before the test fold that stand for a column that has not spoken yet.
    n_repeats : int
        How often each column is given other values.
    min_abs_spearman : float or None
        Columns of which every two have at least this rank correlation are given other values together; None takes each
        by itself.
    seed : int
    """

    max_rows: int = 10_000
    n_explained_rows: int = 256
    n_background_rows: int = 16
    n_repeats: int = 5
    min_abs_spearman: float | None = None
    seed: int = 0


def explain_bundle(
    settings: Settings, market: LoadedMarket, bundle: ModelBundle, options: ExplainOptions, on_progress: Progress
) -> Explanation:
    """Measure everything that an `Explanation` holds.

    Parameters
    ----------
    settings : Settings
    market : LoadedMarket
        That the bundle was trained on; frames after those show how far the columns have moved since.
    bundle : ModelBundle
    options : ExplainOptions
    on_progress : callable

    Raises
    ------
    DataNotFoundError, BundleError
        As `read_rows`.
    """
    found = read_rows(settings, market, bundle, options.max_rows, on_progress)
    test, names = found.test, bundle.feature_names
    predict = partial(_ask_ensemble, bundle)
    probability = predict(test)
    if (is_lost := np.isnan(probability).any(axis=1)).any():  # nothing is known of what the members read
        test, probability = test.take(np.flatnonzero(~is_lost)), probability[~is_lost]
    members = _members(bundle)
    n_read = len(bundle.manifest.feature_names)
    of_columns = partial(on_progress, CONTRIBUTIONS_STEP)
    contributions = tuple(
        _contributions(predict, members, test, found.earlier, n_read, options, settings.training.n_threads, of_columns)
    )
    importance = measure_importance(
        predict,
        test,
        names,
        _groups(test.rows, options.min_abs_spearman),
        options.n_repeats,
        np.random.default_rng(options.seed),
        partial(on_progress, IMPORTANCE_STEP),
    )
    profiles = (attention_profile(member.name, model, test.first_columns(n_read)) for member, model in members)
    ts_close_ns = market.frames.ts_close_ns
    return Explanation(
        bundle_version=bundle.version,
        code_version=bundle.manifest.code_version,
        seed=options.seed,
        feature_names=names,
        first_ts_ns=int(ts_close_ns[test.frame[0]]),
        last_ts_ns=int(ts_close_ns[test.frame[-1]]),
        n_frames=len(np.unique(test.frame)),
        n_rows=len(test),
        n_explained_rows=min(options.n_explained_rows, len(test)),
        n_repeats=options.n_repeats,
        log_loss=score(probability, test.labels).log_loss,
        reliability=reliability_curves(probability, test.labels),
        contributions=contributions,
        importance=importance,
        attention=tuple(profile for profile in profiles if profile is not None),
        drift=tuple(_drift(found.earlier, each, ts_close_ns) for each in (test, found.later) if len(each)),
    )


def _contributions(  # noqa: PLR0917 - what is explained, on what, and how
    predict: Predict,
    members: list[tuple[Member, Model]],
    test: Sample,
    earlier: Sample,
    n_read: int,
    options: ExplainOptions,
    n_threads: int,
    report: Callable[[float], None],
) -> Iterator[Contributions]:
    """Yield those of the ensemble, then those of its members, which read the first `n_read` columns."""
    rng = np.random.default_rng(options.seed)
    told = test.take(_drawn(len(test), options.n_explained_rows, rng))
    background = earlier.take(_drawn(len(earlier), options.n_background_rows, rng))
    report(0.0)
    n_steps, n_features = 1 + len(members), told.rows.shape[1]
    of_all = sample_shapley(predict, told, background, rng, _part(report, 0, n_steps))
    yield _summary(ENSEMBLE, of_all, n_features, is_exact=False)
    told, background, earlier = (each.first_columns(n_read) for each in (told, background, earlier))
    for number, (member, model) in enumerate(members, start=1):
        exact = exact_shapley(member.family, model, told, earlier, n_threads)
        ask, done = partial(ask_member, model), _part(report, number, n_steps)
        shapley = exact or sample_shapley(ask, told, background, rng, done)
        yield _summary(member.name, shapley, n_features, is_exact=exact is not None)
        done(1.0)


def _summary(whom: str, shapley: Shapley, n_features: int, *, is_exact: bool) -> Contributions:
    mean_abs = np.zeros((len(shapley.base), n_features))
    mean_abs[:, : shapley.values.shape[2]] = np.abs(shapley.values).mean(axis=0)
    return Contributions(
        whom=whom,
        is_exact=is_exact,
        base_nats=tuple(None if np.isnan(value) else value for value in shapley.base.tolist()),
        mean_abs_nats=tuple(map(tuple, mean_abs.tolist())),
    )


def ask_member(model: Model, sample: Sample) -> FloatArray:
    """Return the class probabilities of one member for rows of its bundle, float64 (n_rows, 3)."""
    if not isinstance(model, WindowModel):
        return model.predict_proba(sample.rows)
    return model.predict_windows(sample.windows_of(model.lookback_bars))


def _ask_ensemble(bundle: ModelBundle, sample: Sample) -> FloatArray:
    return bundle.predict_proba(sample.rows, windows=sample.windows)


def _members(bundle: ModelBundle) -> list[tuple[Member, Model]]:
    """Return each member that is heard."""
    models = load_members(bundle)
    return [(each.member, models[each.name]) for each in bundle.manifest.members if each.weight_frac != 0.0]


def _groups(rows: FloatArray, min_abs_spearman: float | None) -> list[IntArray]:
    if min_abs_spearman is None:
        return [np.array([column]) for column in range(rows.shape[1])]
    return cluster_columns(rows, min_abs_spearman)


def _drawn(n_rows: int, n_most: int, rng: np.random.Generator) -> IntArray:
    return np.sort(rng.permutation(n_rows)[:n_most])


def _drift(before: Sample, after: Sample, ts_close_ns: IntArray) -> Drift:
    return Drift(
        first_ts_ns=int(ts_close_ns[after.frame[0]]),
        last_ts_ns=int(ts_close_ns[after.frame[-1]]),
        index=tuple(stability_index(before.rows, after.rows).tolist()),
    )


def _part(report: Callable[[float], None], number: int, n_steps: int) -> Callable[[float], None]:
    return lambda done_frac: report((number + done_frac) / n_steps)
