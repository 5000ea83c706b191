"""A bundle predicts what its boosters say, and is refused when anything about it is off."""

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pytest
import xgboost
from hypothesis import given, settings
from hypothesis import strategies as st

from outcry.errors import BundleError, PredictionError
from outcry.market.frame import FloatArray
from outcry.models.bundle import GoldenInputs, ModelBundle, load_bundle, load_members, write_bundle, write_revision
from outcry.models.calibration import Calibration
from outcry.models.combiners import Combiner, build_combiner
from outcry.models.combiners.soft_vote import SoftVoteSpec
from outcry.models.families import find_family
from outcry.models.family import Model
from outcry.models.manifest import BundleFacts
from outcry.models.neural.family import NeuralFamily

FILES = ("manifest.json", "xgboost.json", "lightgbm.txt", "combiner.json", "calibration.json", "golden.npz")

Models = dict[str, Model]


@pytest.fixture(scope="session")
def bundle(
    tmp_path_factory: pytest.TempPathFactory,
    facts: BundleFacts,
    models: Models,
    combiner: Combiner,
    calibration: Calibration,
    rows: FloatArray,
) -> ModelBundle:
    directory = tmp_path_factory.mktemp("bundles")
    return load_bundle(
        write_bundle(
            directory,
            facts=facts,
            members=models,
            combiner=combiner,
            calibration=calibration,
            golden=GoldenInputs(rows[:20]),
        )
    )


def test_prediction_is_the_calibrated_weighted_mean_of_the_native_boosters(
    bundle: ModelBundle,
    boosters: tuple[xgboost.Booster, lightgbm.Booster],
    calibration: Calibration,
    rows: FloatArray,
) -> None:
    xgb, lgb = boosters
    raw = 0.6 * xgb.predict(xgboost.DMatrix(rows, nthread=1)).astype(np.float64) + 0.4 * np.asarray(lgb.predict(rows))
    np.testing.assert_allclose(bundle.predict_proba(rows), calibration.apply(raw), rtol=0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_row_gets_the_same_bits_in_any_batch(bundle: ModelBundle, rows: FloatArray, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=150))
    batch = bundle.predict_proba(rows[chosen])
    for position in {0, len(chosen) // 2, len(chosen) - 1}:
        alone = bundle.predict_proba(rows[chosen[position]][None, :])
        assert batch[position].tobytes() == alone[0].tobytes()


def test_a_row_gets_the_same_bits_in_another_process_without_either_library(
    bundle: ModelBundle, rows: FloatArray, tmp_path: Path
) -> None:
    expected = bundle.predict_proba(rows)
    np.save(tmp_path / "rows.npy", rows)
    program = (
        "import sys; from pathlib import Path; import numpy as np; from outcry.models import load_bundle;"
        "rows = np.load(sys.argv[2]); bundle = load_bundle(Path(sys.argv[1]));"
        "np.save(sys.argv[3], np.concatenate([bundle.predict_proba(rows[k : k + 7]) for k in range(0, 300, 7)]));"
        "assert not {'xgboost', 'lightgbm'} & set(sys.modules)"
    )
    arguments = [str(bundle.path), str(tmp_path / "rows.npy"), str(tmp_path / "found.npy")]
    subprocess.run([sys.executable, "-c", program, *arguments], check=True)
    assert np.load(tmp_path / "found.npy").tobytes() == expected.tobytes()


def test_rows_sum_to_one_whatever_the_memory_layout(bundle: ModelBundle, rows: FloatArray) -> None:
    probability = bundle.predict_proba(rows)
    np.testing.assert_allclose(probability.sum(axis=1), 1.0, atol=1e-12)
    assert bundle.predict_proba(np.asfortranarray(rows)).tobytes() == probability.tobytes()


def test_a_row_without_any_known_feature_has_no_forecast(bundle: ModelBundle, rows: FloatArray) -> None:
    mixed = np.stack((rows[0], np.full(rows.shape[1], np.nan)))
    probability = bundle.predict_proba(mixed)
    assert np.isfinite(probability[0]).all()
    assert np.isnan(probability[1]).all()


def test_no_rows_give_no_forecasts(bundle: ModelBundle, rows: FloatArray) -> None:
    assert bundle.predict_proba(rows[:0]).shape == (0, 3)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_an_infinite_feature_is_refused_by_name(bundle: ModelBundle, rows: FloatArray, value: float) -> None:
    bad = rows[:3].copy()
    bad[1, 4] = value
    with pytest.raises(PredictionError, match=r"tech_4 must be finite or NaN, was -?inf in row 1"):
        bundle.predict_proba(bad)


def test_a_wrong_number_of_columns_is_refused(bundle: ModelBundle, rows: FloatArray) -> None:
    with pytest.raises(PredictionError, match=r"\(n_rows, 6\), was \(300, 5\)"):
        bundle.predict_proba(rows[:, :5])


def test_columns_are_found_by_name_in_a_wider_matrix(bundle: ModelBundle, rows: FloatArray) -> None:
    names = ["extra", *reversed(bundle.feature_names)]
    wide = np.column_stack((np.zeros(len(rows)), rows[:, ::-1]))
    columns = bundle.columns_in(names)
    expected = bundle.predict_proba(rows).tobytes()
    assert bundle.predict_proba(wide[:, columns]).tobytes() == expected
    assert bundle.predict_proba(wide, columns).tobytes() == expected
    wide[:, 0] = np.inf  # which the model does not read
    assert bundle.predict_proba(wide, columns).tobytes() == expected
    wide[1, names.index("tech_4")] = np.inf
    with pytest.raises(PredictionError, match=r"tech_4 must be finite or NaN, was inf in row 1"):
        bundle.predict_proba(wide, columns)


@pytest.mark.parametrize("columns", [[0, 1, 2, 3, 4, 6], [-1, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4]])
def test_columns_that_are_not_there_are_refused(bundle: ModelBundle, rows: FloatArray, columns: list[int]) -> None:
    with pytest.raises(PredictionError, match="columns must be 6 of rows of shape"):
        bundle.predict_proba(rows, np.array(columns))


def test_the_same_content_has_the_same_version_and_is_written_once(
    tmp_path: Path,
    facts: BundleFacts,
    models: Models,
    combiner: Combiner,
    calibration: Calibration,
    rows: FloatArray,
) -> None:
    def write(seed: int) -> Path:
        changed = facts.model_copy(update={"seed": seed})
        return write_bundle(
            tmp_path,
            facts=changed,
            members=models,
            combiner=combiner,
            calibration=calibration,
            golden=GoldenInputs(rows[:20]),
        )

    first = write(0)
    assert write(0) == first
    assert write(1) != first
    assert sorted(path.name for path in first.iterdir()) == sorted(FILES)
    assert len(list(tmp_path.iterdir())) == 2  # no draft is left behind


def test_a_damaged_bundle_is_replaced_when_written_again(
    bundle_path: Path,
    facts: BundleFacts,
    models: Models,
    combiner: Combiner,
    calibration: Calibration,
    rows: FloatArray,
) -> None:
    (bundle_path / "xgboost.json").write_bytes(b"{}")
    again = write_bundle(
        bundle_path.parent,
        facts=facts,
        members=models,
        combiner=combiner,
        calibration=calibration,
        golden=GoldenInputs(rows[:20]),
    )
    assert load_bundle(again).version == bundle_path.name
    assert list(bundle_path.parent.iterdir()) == [again]
    assert sorted(path.name for path in again.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(bundle_path: Path, name: str) -> None:
    (bundle_path / name).unlink()
    with pytest.raises(BundleError, match=name):
        load_bundle(bundle_path)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_named(bundle_path: Path, name: str) -> None:
    text = (bundle_path / name).read_bytes()
    (bundle_path / name).write_bytes(text[: len(text) // 2])
    with pytest.raises(BundleError, match=name):
        load_bundle(bundle_path)


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_digit_is_noticed(bundle_path: Path, name: str) -> None:
    text = bytearray((bundle_path / name).read_bytes())
    digit = next(k for k in range(len(text) // 2, len(text)) if text[k] in b"12345678")
    text[digit] += 1
    (bundle_path / name).write_bytes(text)
    with pytest.raises(BundleError, match=name):
        load_bundle(bundle_path)


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match=r"nowhere.manifest\.json must be a readable file"):
        load_bundle(tmp_path / "nowhere")


def _forge(path: Path, **changes: object) -> None:
    """Rewrite the manifest and give it the version that its new content asks for."""
    content = json.loads((path / "manifest.json").read_bytes()) | changes
    del content["version"]
    content["version"] = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]
    (path / "manifest.json").write_text(json.dumps(content))


def test_another_schema_version_is_refused(bundle_path: Path) -> None:
    _forge(bundle_path, schema_version=1)
    with pytest.raises(BundleError, match="schema_version must be 5, was 1"):
        load_bundle(bundle_path)


@pytest.mark.parametrize("name", ["../xgboost.json", "/etc/passwd", "a/b.json", "..", "model.pkl"])
def test_a_file_name_that_leaves_the_bundle_is_refused(bundle_path: Path, name: str) -> None:
    files = json.loads((bundle_path / "manifest.json").read_bytes())["files"]
    _forge(bundle_path, files=files | {name: "0" * 64})
    with pytest.raises(BundleError, match="files"):
        load_bundle(bundle_path)


def test_an_unknown_field_is_refused(bundle_path: Path) -> None:
    _forge(bundle_path, surprise=1)
    with pytest.raises(BundleError, match="surprise"):
        load_bundle(bundle_path)


def test_a_manifest_that_was_edited_is_refused(bundle_path: Path) -> None:
    content = json.loads((bundle_path / "manifest.json").read_bytes())
    content["test"]["accuracy"] = 0.99
    (bundle_path / "manifest.json").write_text(json.dumps(content))
    with pytest.raises(BundleError, match="version must be"):
        load_bundle(bundle_path)


def test_a_feature_that_is_not_computed_is_named(bundle_path: Path, facts: BundleFacts) -> None:
    with pytest.raises(BundleError, match="1 of its 6 features are not computed: tech_5"):
        load_bundle(bundle_path, facts.feature_names[:-1])


def test_another_feature_set_is_refused(bundle_path: Path, facts: BundleFacts) -> None:
    load_bundle(bundle_path, facts.feature_names, facts.features_hash)
    with pytest.raises(BundleError, match="features_hash must be bbb, was aaa"):
        load_bundle(bundle_path, facts.feature_names, "bbb")


def _exchange_combiner(path: Path, combiner: Combiner) -> None:
    (path / "combiner.json").write_bytes(combiner.to_json())
    files = json.loads((path / "manifest.json").read_bytes())["files"]
    _forge(path, files=files | {"combiner.json": hashlib.sha256(combiner.to_json()).hexdigest()})


def test_members_that_answer_otherwise_than_when_written_are_refused(bundle_path: Path) -> None:
    _exchange_combiner(bundle_path, build_combiner(SoftVoteSpec(weights_frac=(0.5, 0.5))))
    with pytest.raises(BundleError, match="must answer its golden inputs"):
        load_bundle(bundle_path)


def test_a_combiner_of_another_number_of_members_is_refused(bundle_path: Path) -> None:
    _exchange_combiner(bundle_path, build_combiner(SoftVoteSpec(weights_frac=(1.0,))))
    with pytest.raises(BundleError, match=r"combiner\.json must combine 2 members, combines 1"):
        load_bundle(bundle_path)


def test_a_model_that_reads_other_features_is_refused(
    tmp_path: Path, facts: BundleFacts, models: Models, calibration: Calibration, rows: FloatArray
) -> None:
    narrow = facts.model_copy(update={"feature_names": facts.feature_names[:5]})
    for family, model in models.items():
        with pytest.raises(BundleError, match=f"{family} model must read 5 features, reads 6"):
            write_bundle(
                tmp_path,
                facts=narrow,
                members={family: model},
                combiner=build_combiner(SoftVoteSpec(weights_frac=(1.0,))),
                calibration=calibration,
                golden=GoldenInputs(rows[:20, :5]),
            )
    assert not list(tmp_path.iterdir())


def test_answers_may_differ_as_far_as_the_members_allow(bundle: ModelBundle, monkeypatch: pytest.MonkeyPatch) -> None:
    def moved(by: float) -> ModelBundle:
        return replace(bundle, _golden_probability=bundle._golden_probability + by)

    with pytest.raises(BundleError, match="to 1e-12, was off by 5"):
        moved(5e-6).check_golden()
    monkeypatch.setattr(type(find_family("lightgbm")), "answer_tolerance", NeuralFamily.answer_tolerance)
    moved(5e-6).check_golden()
    with pytest.raises(BundleError, match=r"to 1e-05, was off by 0\.00"):
        moved(1e-3).check_golden()


def test_a_family_stands_for_several_horizons_each_in_files_of_its_own(
    tmp_path: Path, facts: BundleFacts, models: Models, calibration: Calibration, rows: FloatArray
) -> None:
    boosted = {"lightgbm@20": models["lightgbm"], "xgboost": models["xgboost"], "xgboost@1": models["xgboost"]}
    combiner = build_combiner(SoftVoteSpec(weights_frac=(0.4, 0.4, 0.2)))
    golden = GoldenInputs(rows[:20])
    path = write_bundle(
        tmp_path, facts=facts, members=boosted, combiner=combiner, calibration=calibration, golden=golden
    )
    bundle = load_bundle(path)
    found = [(member.name, member.horizon_bars, member.files) for member in bundle.manifest.members]
    assert found == [
        ("lightgbm@20", 20, ("lightgbm@20.txt",)),
        ("xgboost", None, ("xgboost.json",)),
        ("xgboost@1", 1, ("xgboost@1.json",)),
    ]
    assert list(load_members(bundle)) == list(boosted)
    said = bundle.predict_members(rows)
    assert said[1].tobytes() == said[2].tobytes()
    np.testing.assert_array_equal(said[0], models["lightgbm"].predict_proba(rows))
    revised = load_bundle(write_revision(tmp_path, bundle, {"xgboost@1": models["xgboost"]}, {"seed": 9}))
    assert {name: bundle.manifest.files[name] for name in bundle.manifest.files} == dict(revised.manifest.files)


def test_a_bundle_whose_members_have_one_horizon_says_what_it_always_said(bundle_path: Path) -> None:
    """So that the digest of its content, its version, is still the one that an older code wrote."""
    members = json.loads((bundle_path / "manifest.json").read_bytes())["members"]
    assert [set(member) for member in members] == [{"family", "files", "weight_frac", "lookback_bars"}] * 2
    assert [member["files"] for member in members] == [["xgboost.json"], ["lightgbm.txt"]]
