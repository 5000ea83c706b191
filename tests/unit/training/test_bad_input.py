"""What cannot be learnt from, or written, is one clear error; what can is learnt from."""

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.__main__ import app
from cli.console import run_guarded
from configs.selection import CorrelationConfig, VarianceConfig
from configs.training import TrainingConfig
from outcry.errors import BundleError, ConfigurationError, DataValidationError
from outcry.exit_status import EXIT_MISUSED
from outcry.market.frame import FloatArray, FrameTensor
from outcry.messages import Direction
from outcry.models.bundle import load_bundle
from training.fit import fit_ensemble

N_FRAMES, N_SYMBOLS = 300, 3
FEATURES = ("drift", "noise", "constant", "never_known")
BAR_NS = 86_400 * 10**9
CONFIG = TrainingConfig.model_validate(
    {
        "horizon_bars": 3,
        "n_folds": 3,
        "embargo_bars": 1,
        "selection": (),
        "members": ("xgboost", "lightgbm", "ridge", "logistic"),
        "xgboost": {"max_rounds": 4, "max_depth": 2},
        "lightgbm": {"max_rounds": 4, "n_leaves": 4, "min_leaf_rows": 10},
        "ridge": {"penalties": (0.1,)},
        "logistic": {"penalties": (0.1,)},
    }
)

Market = tuple[FrameTensor, FloatArray]


@pytest.fixture(scope="module")
def market() -> Market:
    """Frames whose first half moves much, so that the price never stays; two of four columns say nothing."""
    rng = np.random.default_rng(3)
    deviation = np.where(np.arange(N_FRAMES) < N_FRAMES // 2, 0.3, 0.004)[:, None]
    steps = deviation * rng.normal(size=(N_FRAMES, N_SYMBOLS))
    close = 1e6 * np.exp(np.cumsum(steps, axis=0))
    features = np.stack(
        [
            np.roll(steps, -1, axis=0) / deviation + rng.normal(size=steps.shape),
            rng.normal(size=steps.shape),
            np.ones(steps.shape),
            np.full(steps.shape, np.nan),
        ],
        axis=-1,
    )
    ts_close_ns = np.arange(1, N_FRAMES + 1, dtype=np.int64) * BAR_NS
    return FrameTensor(0, ts_close_ns, close, close, close, close, close, close, np.ones(close.shape, bool)), features


def fit(market: Market, config: TrainingConfig, directory: Path, names: Sequence[str] = FEATURES) -> Path:
    frames, features = market
    return fit_ensemble(
        frames,
        lambda rows, columns: features[rows][..., [FEATURES.index(name) for name in columns]],
        names,
        config,
        units=dict.fromkeys(FEATURES, "ratio"),
        features_hash="c" * 64,
        symbols=("A", "B", "C"),
        bar_ns=BAR_NS,
        directory=directory,
    )


def but(**values: Any) -> TrainingConfig:
    return CONFIG.model_copy(update=values)


def test_a_class_that_is_missing_in_the_first_folds_is_learnt_in_the_later_ones(market: Market, tmp_path: Path) -> None:
    config = but(band_kind="fixed", band_value=0.01)
    bundle = load_bundle(fit(market, config, tmp_path))
    first, *_, last = (*bundle.manifest.folds, bundle.manifest.test)
    assert np.isfinite([fold.log_loss for fold in (*bundle.manifest.folds, last)]).all()
    assert first.base_log_loss > 2.0  # the frequencies of its training rows know no price that stays
    said = bundle.predict_proba(market[1][:, 0])[:, Direction.NEUTRAL]
    assert 0.05 < said.mean() < 0.95


@pytest.mark.parametrize("steps", [(), (VarianceConfig(), CorrelationConfig())])
def test_columns_that_say_nothing_do_no_harm(market: Market, tmp_path: Path, steps: tuple[Any, ...]) -> None:
    bundle = load_bundle(fit(market, but(selection=steps), tmp_path))
    assert bundle.feature_names == (FEATURES if not steps else ("drift", "noise"))
    assert np.isfinite(bundle.predict_proba(market[1][:, 0, : len(bundle.feature_names)])).all()


@pytest.mark.parametrize(
    ("names", "values", "rule"),
    [
        (("never_known",), {}, "300 frames must hold a row with a label and a known feature, hold none"),
        (("constant",), {"selection": (VarianceConfig(),)}, "variance must keep a column, kept none of 1"),
        (FEATURES, {"band_kind": "fixed", "band_value": 1e9}, "labels must be of two classes or more, all .* were 1"),
        (FEATURES, {"horizon_bars": 200}, "too few for fold 1: all 120 rows to train on are purged, by horizon_bars"),
        (FEATURES, {"horizon_bars": 10**6}, "too few for fold 1: all 120 rows to train on are purged, by horizon_bars"),
        (
            FEATURES,
            {"members": ("gru",)},
            "training.gru.lookback_bars must be at most the 16 frames that fold 1 learns from, was 60",
        ),
    ],
)
def test_what_cannot_be_learnt_from_is_one_error(
    market: Market, tmp_path: Path, names: Sequence[str], values: dict[str, Any], rule: str
) -> None:
    frames, features = market
    if "members" in values:  # a window that no training row fills
        market = frames.rows(0, 50, first_seq=0), features[:50]
    with pytest.raises((ConfigurationError, DataValidationError), match=rule) as told:
        fit(market, but(**values), tmp_path, names)
    assert "\n" not in str(told.value)
    assert not list(tmp_path.iterdir())


@contextmanager
def full_disk(size_bytes: int) -> Iterator[None]:
    """Let no file grow beyond a size: a write then fails as on a full disk, whoever the user is."""
    was, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size_bytes, most))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (was, most))


def test_a_full_disk_leaves_no_half_bundle_and_the_old_ones_as_they_were(market: Market, tmp_path: Path) -> None:
    old = fit(market, but(seed=1), tmp_path)
    with full_disk(1000), pytest.raises(BundleError, match=f"a bundle must be written to {tmp_path}: File too large"):
        fit(market, CONFIG, tmp_path)
    assert list(tmp_path.iterdir()) == [old]
    load_bundle(old).check_golden()
    assert fit(market, CONFIG, tmp_path) != old


@pytest.mark.skipif(shutil.which("unshare") is None, reason="a file system of its own needs unshare")
def test_a_feature_table_that_does_not_fit_on_the_disk_is_an_error_and_not_the_end_of_the_process(
    tmp_path: Path,
) -> None:
    """On a real full disk: a write through the map of a sparse file is answered by a signal, which kills."""
    program = (
        "from pathlib import Path; import numpy as np; from training.feature_table import _reserve\n"
        f"path = Path({str(tmp_path / 'features.npy')!r})\n"
        "values = np.lib.format.open_memmap(path, mode='w+', dtype=np.float64, shape=(1_000_000,))\n"
        "_reserve(path)\n"
        "values[:] = 1.0\n"
    )
    mounted = f'mount -t tmpfs -o size=1m tmpfs {tmp_path} && exec {sys.executable} -c "$0"'
    command = ["unshare", "--mount", *(["--user", "--map-root-user"] if os.geteuid() else []), "sh", "-c", mounted]
    ended = subprocess.run([*command, program], capture_output=True, text=True, check=False, cwd=Path.cwd())
    if "unshare" in ended.stderr or "mount:" in ended.stderr:
        pytest.skip(f"no file system of its own here: {ended.stderr.strip()}")
    assert ended.returncode == 1
    assert "No space left on device (8,000,128 bytes of features)" in ended.stderr


@pytest.mark.parametrize(
    ("setting", "rule"),
    [
        ("training.horizon_bars=100000", "are purged, by horizon_bars 100000"),
        ("training.horizon=1m", "horizon must be a whole number of 1d bars, was 1m"),
        ("training.validation.kind=sixfold", "training.validation.kind"),
        ("training.validation={kind: rolling, train_bars: 100000}", "too few for train_bars 100000 and test_bars 63"),
    ],
)
def test_the_command_line_says_it_in_one_line_before_any_feature_is_computed(
    setting: str, rule: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    words = ("train", "--no-register", "--set", setting, "--set", f"floor.state_dir={tmp_path}")
    monkeypatch.setattr(sys, "argv", ["outcry", *words])
    monkeypatch.setattr("signal.signal", lambda number, handler: None)
    monkeypatch.setattr("training.prepare.warm_up", lambda *arguments, **options: None)
    monkeypatch.setattr("training.prepare.build_features", lambda *arguments, **options: pytest.fail("not before"))
    with pytest.raises(SystemExit) as ended:
        run_guarded(app)
    assert ended.value.code == EXIT_MISUSED
    told = [line for line in capsys.readouterr().err.splitlines() if "error" in line]
    assert len(told) == 1
    assert rule in told[0]
    assert not list(tmp_path.rglob("manifest.json"))
