from pathlib import Path

import pytest

from configs.loader import load_settings, restore_settings
from outcry.errors import ConfigurationError


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("OUTCRY_DATABASE_URL", "OUTCRY_REDIS_URL", "OUTCRY_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def test_later_sources_win(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("floor: {n_shards: 3, warmup_frames: 30, snapshot_every_frames: 33}")
    (tmp_path / ".env").write_text("OUTCRY_FLOOR__WARMUP_FRAMES=40\nOUTCRY_FLOOR__SNAPSHOT_EVERY_FRAMES=44\n")
    monkeypatch.setenv("OUTCRY_FLOOR__SNAPSHOT_EVERY_FRAMES", "55")
    settings = load_settings(config=file, assignments=["floor.restart_budget=6"], options={"floor": {"speed": 2.0}})
    floor = settings.floor
    assert (floor.n_shards, floor.warmup_frames, floor.snapshot_every_frames) == (3, 40, 55)
    assert (floor.restart_budget, floor.speed) == (6, 2.0)


def test_named_option_wins_over_assignment() -> None:
    settings = load_settings(assignments=["floor.speed=1.0"], options={"floor": {"speed": 9.0}})
    assert settings.floor.speed == 9.0


@pytest.mark.parametrize(
    ("assignment", "expected"),
    [
        ("floor.n_shard=2", "floor.n_shard is not a setting; did you mean floor.n_shards?"),
        ("floors.n_shards=2", "floors is not a setting; did you mean floor?"),
        ("floor.n_shards=0", "floor.n_shards: input should be greater than or equal to 1, was 0"),
        ("floor.n_shards", "--set must have the form section.key=value, was 'floor.n_shards'"),
    ],
)
def test_a_wrong_assignment_is_named_with_its_rule(assignment: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as error:
        load_settings(assignments=[assignment])
    assert str(error.value) == expected


def test_the_mode_can_be_given_anywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("mode: dry")
    assert load_settings(mode="dry").mode == "dry"
    assert load_settings(assignments=["mode=dry"]).mode == "dry"
    assert load_settings(config=file).mode == "dry"
    assert load_settings(config=file, mode="local").mode == "local"
    monkeypatch.setenv("OUTCRY_MODE", "dry")
    assert load_settings().mode == "dry"


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="mode: input should be 'local' or 'dry', was 'live'"):
        load_settings(mode="live")


def test_an_unknown_environment_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OUTCRY_FLOR__SPEED", "1")
    with pytest.raises(ConfigurationError, match="OUTCRY_FLOR__SPEED names no setting"):
        load_settings()


@pytest.mark.parametrize("content", ["floor: [", "- a\n- b\n"])
def test_an_unreadable_file_is_named(tmp_path: Path, content: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(content)
    with pytest.raises(ConfigurationError, match=r"broken\.yaml must"):
        load_settings(config=file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"readable YAML file, was .*absent\.yaml"):
        load_settings(config=tmp_path / "absent.yaml")


@pytest.mark.parametrize("name", ["database", "redis", "mlflow"])
def test_url_of_a_server_has_a_short_name_and_is_never_recorded(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(f"OUTCRY_{name.upper()}_URL", "postgresql://me:hunter2@db/outcry")
    settings = load_settings()
    assert getattr(settings.storage, f"{name}_url").get_secret_value().endswith("@db/outcry")
    assert "hunter2" not in repr(settings) + str(settings.public())


def test_a_wrong_secret_is_not_shown() -> None:
    with pytest.raises(ConfigurationError) as error:
        load_settings(options={"storage": {"database_url": ["hunter2"]}})
    assert "hunter2" not in str(error.value)


def test_recorded_settings_read_back_equal() -> None:
    settings = load_settings(assignments=["floor.n_shards=5"])
    assert restore_settings(settings.public()) == settings
