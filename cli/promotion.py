"""A trained bundle on its way to the champion's place: registered, judged on frames it never saw, put in service."""

import asyncio
from dataclasses import dataclass
from functools import partial

from cli.registry_session import Outcome, RegistrySession
from cli.served_model import swap_served
from configs.plan import resolve_features
from configs.schema import Settings
from configs.sectors import load_sectors
from outcry.adapters.registry.models import Registration
from outcry.adapters.registry.version import ModelVersion
from outcry.adapters.sources.load import LoadedMarket, load_market
from outcry.backtest.warm_up import FOREST, warm_up
from outcry.errors import ModelError
from outcry.models.families import FAMILY_NAMES
from outcry.models.reliability import reliability_curves
from training.model_page import render_model
from training.prepare import KERNELS_STEP, PreparedRun, Progress
from training.promote import Judgement, judge
from training.unseen import forecast_span, span_between

REGISTER_STEP = "register the model"


@dataclass(frozen=True, slots=True)
class Promotion:
    """What came of a wish to promote.

    Attributes
    ----------
    version : ModelVersion
    outcome : str
    reason : str
    judgement : Judgement
    served : str
        Version of the bundle that every replica answers with now; empty where none is served or asked.
    """

    version: ModelVersion
    outcome: Outcome
    reason: str
    judgement: Judgement
    served: str


def register_run(session: RegistrySession, prepared: PreparedRun, on_progress: Progress) -> Registration:
    """Register the bundle of a run that was prepared from the settings of the session."""
    settings, model, training = session.settings, prepared.model, prepared.plan.settings.training
    others = {name for name in FAMILY_NAMES if name not in training.families}
    market = load_market_of(settings, on_progress)
    test = model.manifest.test
    rows = forecast_span(
        settings, market, [model], span_between(market, test.first_ts_ns, test.last_ts_ns), on_progress
    )
    reliability = reliability_curves(rows.probability[0], rows.labels)
    on_progress(REGISTER_STEP, 0.0)
    made = session.registry.register(
        model,
        training.model_dump(mode="json", exclude={"horizons", *others}),
        tags={"fingerprint": prepared.plan.fingerprint, "source": settings.market.source},
        plots={"model.html": render_model(model.manifest, reliability=reliability)},
        keep_versions=settings.registry.keep_versions,
        name=settings.registry.model_name,
    )
    on_progress(REGISTER_STEP, 1.0)
    return made


def judge_version(
    session: RegistrySession, version: ModelVersion, champion: ModelVersion | None, on_progress: Progress
) -> Judgement:
    """Hold a version against a champion; without one, against the class frequencies.

    Raises
    ------
    BundleError
        Where a bundle is gone or damaged.
    """
    model, rival = session.load(version), None if champion is None else session.load(champion)
    n_before = asyncio.run(session.rivals_before(version, champion))
    market = load_market_of(session.settings, on_progress)
    return judge(session.settings, market, model, rival, on_progress, n_rivals=n_before + 1)


def promote_version(
    session: RegistrySession, version: ModelVersion, on_progress: Progress, *, forced_by: str | None, serves: bool
) -> Promotion:
    """Make a version the champion where it is better, and put it in service; record what was decided, and why.

    The replicas get it first: one that they refuse does not become champion. One that was shadow is so no longer.

    Parameters
    ----------
    session : RegistrySession
    version : ModelVersion
    on_progress : callable
    forced_by : str or None
        A reason to promote whatever the checks say.
    serves : bool
        Hand it to the ensemble that is served, where one is.

    Raises
    ------
    ModelError
        Where it is champion already.
    BundleError
        Where a bundle is gone or damaged.
    """
    champion = session.registry.champion(version.name)
    if champion is not None and champion.number == version.number:
        raise ModelError(f"{version} must not be champion already, is")
    judgement = judge_version(session, version, champion, on_progress)
    outcome: Outcome = "accepted" if judgement.holds else "refused"
    reason, served = judgement.reason, ""
    if forced_by is not None and not judgement.holds:
        outcome, reason = "forced", f"{forced_by} ({judgement.reason})"
    if outcome != "refused" and serves:
        swapped = swap_served(session.settings, session.load(version).path)
        if swapped is not None:
            served = swapped.model_version
            if swapped.refusal:
                outcome, reason = "refused", f"the served ensemble refused it: {swapped.refusal}"
    if outcome != "refused":
        session.registry.promote(version)
    before = None if champion is None else champion.bundle_version
    session.record("promote", outcome, version, before, reason, judgement.to_record())
    if outcome != "refused":
        session.end_shadow(version, serves=serves)
    return Promotion(session.registry.find(version.name, str(version.number)), outcome, reason, judgement, served)


def load_market_of(settings: Settings, on_progress: Progress) -> LoadedMarket:
    """Return the market of the settings, with the kernels of its features ready."""
    on_progress("load market data", 0.0)
    market = load_market(settings.market, load_sectors())
    on_progress("load market data", 1.0)
    features = resolve_features(settings.features, market.bar_ns, market.universe.symbols)
    warm_up(features, partial(on_progress, KERNELS_STEP), others=(FOREST,))
    return market
