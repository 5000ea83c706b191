"""The vocabularies of regimes: every case has a word, and the documented table is the one that is used."""

from itertools import product

from outcry.features import regimes
from outcry.features.regimes import (
    DECISION_OF,
    ENSEMBLE_OF,
    DecisionRegime,
    EnsembleRegime,
    PlatformRegime,
    VolatilityRegime,
)


def _documented() -> list[list[str]]:
    """Return the rows of the table in the docstring, cell by cell."""
    assert regimes.__doc__ is not None
    lines = regimes.__doc__.splitlines()
    rules = [i for i, line in enumerate(lines) if line.startswith("=========")]
    starts = [0, *(i + 2 for i, character in enumerate(lines[rules[0]]) if lines[rules[0]][i : i + 2] == "  ")]
    ends = [*(start - 2 for start in starts[1:]), None]
    return [[line[a:b].strip() for a, b in zip(starts, ends, strict=True)] for line in lines[rules[1] + 1 : rules[2]]]


def test_the_documented_table_is_the_one_that_is_used() -> None:
    rows = _documented()
    assert len(rows) == 18
    directions = {"up": PlatformRegime.BULL, "none": PlatformRegime.NEUTRAL, "down": PlatformRegime.BEAR}
    for direction, trending, volatility, words, ensemble in rows:
        platform, decision = words.split(", ")
        is_trending = trending == "yes"
        assert PlatformRegime[platform.upper()] == directions[direction]
        assert DecisionRegime[decision.upper()] == DECISION_OF[directions[direction], is_trending]
        word = ensemble.upper().replace(" ", "_").replace("-", "_")
        assert EnsembleRegime[word] == ENSEMBLE_OF[is_trending, VolatilityRegime[volatility.upper()]]


def test_every_case_has_a_word_and_every_word_a_case() -> None:
    assert set(DECISION_OF) == set(product(PlatformRegime, (True, False)))
    assert set(ENSEMBLE_OF) == set(product((True, False), VolatilityRegime))
    assert set(DECISION_OF.values()) == set(DecisionRegime)
    assert set(ENSEMBLE_OF.values()) == set(EnsembleRegime)
