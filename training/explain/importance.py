"""How much worse a forecast is when columns carry the values of other rows."""

from collections.abc import Callable, Sequence

import numpy as np

from outcry.labels.horizon import LabelArray
from outcry.market.frame import FloatArray, IntArray
from outcry.messages import Direction
from outcry.models.explanation import Importance
from training.explain.sample import Sample
from training.explain.shapley import Predict

_LEAST_PROBABILITY = 1e-15
_SAYS_NOTHING = 1.0 / len(Direction)


def measure_importance(  # noqa: PLR0917 - what is asked, on what, and how
    predict: Predict,
    sample: Sample,
    feature_names: Sequence[str],
    groups: Sequence[IntArray],
    n_repeats: int,
    rng: np.random.Generator,
    report: Callable[[float], None] = lambda _fraction: None,
) -> tuple[Importance, ...]:
    """Give columns the values of other rows, and return by how much the log loss rises, the largest rise first.

    Parameters
    ----------
    predict : callable
    sample : Sample
        Rows that the model has not seen.
    feature_names : sequence of str
        Of the columns.
    groups : sequence of int64 (any,)
        Columns that are given the values of the same other row: those that say nearly the same stand in for each other
        when one alone is changed.
    n_repeats : int
        Two or more.
    rng : numpy.random.Generator
    report : callable
        Called with the fraction that is done.

    Notes
    -----
    Rows of one frame are not independent, so frames give their values as wholes. `draw_donors` tells how, in two ways:
    to a frame those of another frame, symbols drawn anew, which breaks all that a column says; and within a frame those
    of other symbols, which leaves what it says of the market as a whole: a column that is the same for all symbols
    scores exactly 0 there. A column that is the same everywhere scores exactly 0 in both. All columns of a repeat are
    given the values of the same rows.
    A row that is left without a known feature counts as one for which every class is as likely.

    References
    ----------
    Breiman, "Random forests", Machine Learning 45, 2001, section 10.
    Fisher, Rudin & Dominici, "All models are wrong, but many are useful", JMLR 20, 2019 (model reliance).
    """
    loss = _log_loss(predict(sample), sample.labels)
    rises = np.empty((2, len(groups), n_repeats))
    for repeat in range(n_repeats):
        for way, is_within in enumerate((False, True)):
            donors = draw_donors(sample.frame, rng, is_within=is_within)
            for place, columns in enumerate(groups):
                said = predict(sample.with_columns(columns, donors))
                rises[way, place, repeat] = _log_loss(said, sample.labels) - loss
                report(((2 * repeat + way) * len(groups) + place + 1) / (2 * n_repeats * len(groups)))
    mean, deviation = rises.mean(axis=2), rises.std(axis=2, ddof=1)
    return tuple(
        Importance(
            columns=tuple(feature_names[column] for column in groups[place]),
            rise_nats=mean[0, place],
            rise_deviation_nats=deviation[0, place],
            across_nats=mean[1, place],
            across_deviation_nats=deviation[1, place],
        )
        for place in np.argsort(-mean[0], kind="stable")
    )


def draw_donors(frame: IntArray, rng: np.random.Generator, *, is_within: bool) -> IntArray:
    """Return for each row the row whose values it is given, int64 (n_rows,).

    Parameters
    ----------
    frame : int64 (n_rows,)
        Not decreasing.
    rng : numpy.random.Generator
    is_within : bool
        The other row is one of another symbol in the same frame; the row itself where the frame has no other.
        Otherwise all rows of a frame are given those of one other frame, in drawn order; of a smaller one, some twice.
    """
    _, starts, counts = np.unique(frame, return_index=True, return_counts=True)
    donors = np.empty(len(frame), dtype=np.int64)
    sources = np.arange(len(starts)) if is_within else _next_in_circle(len(starts), rng)
    for place, source in enumerate(sources):
        n, n_given = counts[place], counts[source]
        order = _next_in_circle(n, rng) if is_within else np.resize(rng.permutation(n_given), n)
        donors[starts[place] : starts[place] + n] = starts[source] + order
    return donors


def _next_in_circle(n: int, rng: np.random.Generator) -> IntArray:
    """Return a drawn permutation that leaves none in its place, but for n = 1."""
    order = rng.permutation(n)
    follows = np.empty(n, dtype=np.int64)
    follows[order] = np.roll(order, -1)
    return follows


def _log_loss(probability: FloatArray, labels: LabelArray) -> float:
    of_label = probability[np.arange(len(labels)), labels]
    of_label = np.where(np.isnan(of_label), _SAYS_NOTHING, of_label)
    return float(-np.log(np.maximum(of_label, _LEAST_PROBABILITY)).mean())
