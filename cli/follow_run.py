"""Follow the frames of a run in the journal with a learner, and put in service what it adopts."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from actors.replay import plan_of
from cli.registry_session import Outcome
from cli.served_model import swap_served_of_run
from configs.loader import restore_settings
from configs.online import OnlineConfig
from configs.schema import Settings
from outcry.adapters.clock import SystemClock
from outcry.adapters.postgres.decisions import DecisionLog, DecisionRecord
from outcry.adapters.postgres.reader import JournalReader
from outcry.adapters.postgres.runs import RunRecord, RunRegistry, RunStatus
from outcry.adapters.registry.connection import is_installed
from outcry.adapters.registry.models import ModelRegistry
from outcry.adapters.registry.training_run import size_bytes
from outcry.adapters.registry.version import ONLINE, PARENT, default_model_name
from outcry.adapters.services import Services
from outcry.errors import DataValidationError, RecoveryError, ServiceError
from outcry.market.frame import FloatArray
from outcry.messages import InputKind
from outcry.models.bundle import ModelBundle, load_bundle
from outcry.models.families import FAMILY_NAMES
from training.online.learner import DecidedUpdate, OnlineLearner
from training.online.replay import FrameFeed
from training.online.update import OnlineUpdate

_CHUNK_FRAMES = 64
_NEVER = 2**62


@dataclass(frozen=True, slots=True)
class FollowedUpdate:
    """An update and what came of it.

    Attributes
    ----------
    update : OnlineUpdate
    outcome, reason : str
    version : str
        MAJOR.MINOR.PATCH in the registry; empty where it could not be registered.
    served : bool
        The floor of the run answers with it.
    """

    update: OnlineUpdate
    outcome: Outcome
    reason: str
    version: str
    served: bool


class RunFollower:
    """Learn from a run that trades, or has traded.

    Parameters
    ----------
    services : Services
        Entered.
    settings : Settings
        Of the machine: where state, registry and cluster are.
    online : OnlineConfig or None
        None takes that of the run.
    on_update : callable
    """

    def __init__(
        self,
        services: Services,
        settings: Settings,
        online: OnlineConfig | None,
        on_update: Callable[[FollowedUpdate], None],
    ) -> None:
        self._services, self._settings, self._online = services, settings, online
        self._on_update = on_update
        self._registry: ModelRegistry | None = None

    async def follow(self, run_id: str, *, once: bool = False) -> None:
        """Learn from the complete frames of a run, and from further ones until nobody trades it any more.

        With `once`, make a single update of the outcomes there are now, due or not.

        Raises
        ------
        RecoveryError
            Where the run does not exist, or has no frame.
        BundleError
            Where its bundle is gone, or it was given one that learns something else.
        DataValidationError
            With `once`, where the outcomes are too few.
        """
        url = self._services.database_url
        async with (
            JournalReader.connect(url, run_id) as reader,
            RunRegistry.connect(url) as runs,
            DecisionLog.connect(url) as log,
        ):
            record = await reader.run()
            seq = await reader.first_seq()
            if seq is None:
                raise RecoveryError(f"run {run_id} must have a frame to learn from, has none")
            recorded = restore_settings(record.config)
            first_ns = int((await reader.frames(seq, seq)).ts_close_ns[0])
            plan = plan_of(record, first_ns, max(SystemClock().now_ns(), first_ns), record.last_seq)
            model = load_bundle(plan.bundle_path, plan.feature_set.names, plan.feature_set.hash)
            decided = {
                each.figures["seq"]: DecidedUpdate(each.bundle_version, each.outcome == "accepted")
                for each in await log.updates_of(run_id)
            }
            config = self._online or recorded.online
            if once:
                config = config.model_copy(update={"update_every_rows": _NEVER})
            folder = plan.bundle_path.parent
            learner = OnlineLearner(model, len(plan.universe), recorded.training, config, folder, decided=decided)
            lineage = _Lineage(learner, [model.version, *(e.bundle_version for e in decided.values() if e.is_adopted)])
            feed = FrameFeed(plan, model)
            while True:
                is_traded = await self._is_traded(runs, run_id)  # before the look at what is there
                last = await reader.last_completed_seq()
                while seq <= last:
                    stop = min(last, seq + _CHUNK_FRAMES - 1)
                    frames = await reader.frames(seq, stop)
                    lineage.swaps = {
                        at: item.payload["model_version"]
                        for at, items in (await reader.inputs(seq, stop)).items()
                        for item in items
                        if item.kind is InputKind.MODEL_SWAPPED
                    }
                    for made in feed.show(learner, frames, lineage.before):
                        await self._decide(reader, log, learner, lineage, made)
                    seq = stop + 1
                if once:
                    update = learner.update_online()
                    if update is None:
                        raise DataValidationError(f"bundle {model.version} must have a member that can be updated")
                    return await self._decide(reader, log, learner, lineage, update)
                if not is_traded:
                    return None
                await asyncio.sleep(config.poll_s)

    async def _is_traded(self, runs: RunRegistry, run_id: str) -> bool:
        return (await runs.get(run_id)).status is RunStatus.RUNNING and await runs.is_claimed(run_id)

    async def _decide(
        self, reader: JournalReader, log: DecisionLog, learner: OnlineLearner, lineage: "_Lineage", made: OnlineUpdate
    ) -> None:
        """Put an update in service, register it, and record what was decided: in this order, as a promotion does."""
        record, mark = await reader.run(), await reader.last_mark()
        verdict, bundle = made.verdict, made.bundle
        is_adopted, reason, is_served = verdict.is_adopted, verdict.reason, False
        size_mb, max_size_mb = size_bytes(bundle) / 1e6, self._settings.registry.max_size_mb
        if is_adopted and size_mb > max_size_mb:
            is_adopted, reason = False, f"size {size_mb:.1f} MB, must be <= {max_size_mb:g} MB: it is time to train"
        if is_adopted and mark is not None and not lineage.expects(mark.model_version[-1]):
            is_adopted, reason = False, f"another model has been put in service since: {mark.model_version[-1]}"
        if is_adopted:
            swapped = await asyncio.to_thread(swap_served_of_run, self._settings, record.run_id, bundle.path)
            if swapped is not None and swapped.refusal:
                is_adopted, reason = False, f"the served ensemble refused it: {swapped.refusal}"
            is_served = swapped is not None and is_adopted
        if is_adopted:
            lineage.versions.append(bundle.version)
        elif learner.model is bundle:
            learner.rebase(load_bundle(bundle.path.parent / made.parent_version))
        facts = {"run_id": record.run_id, "seq": made.seq, **verdict.to_record(), "is_adopted": is_adopted}
        name = self._settings.registry.model_name or default_model_name(bundle.manifest)
        version = await asyncio.to_thread(self._register, name, record, made, facts, is_adopted=is_adopted)
        outcome: Outcome = "accepted" if is_adopted else "refused"
        await log.add(
            DecisionRecord(name, "update", outcome, version, bundle.version, made.parent_version, reason, facts)
        )
        self._on_update(FollowedUpdate(made, outcome, reason, version, is_served))

    def _register(
        self, name: str, record: RunRecord, made: OnlineUpdate, facts: dict[str, Any], *, is_adopted: bool
    ) -> str:
        """Return the number of the version; empty where there is no registry: an update does not wait for one."""
        if not is_installed():
            return ""
        try:
            if self._registry is None:
                folder, url = self._settings.floor.state_dir / "mlflow", self._settings.storage.mlflow_url
                self._registry = ModelRegistry(url, database_url=self._services.database_url, folder=folder)
            training = restore_settings(record.config).training
            others = {family for family in FAMILY_NAMES if family not in training.families}
            registered = self._registry.register(
                made.bundle,
                training.model_dump(mode="json", exclude={"horizons", *others}),
                tags={PARENT: made.parent_version, "run_id": record.run_id, "source": record.source},
                plots={},
                keep_versions=self._settings.registry.keep_versions,
                name=name,
                alias=ONLINE if is_adopted else None,
            )
            self._registry.record(registered.version, {"action": "update", "figures": facts})
        except ServiceError:
            return ""
        return registered.version.version


class _Lineage:
    """Which models have been in service, and whether the one that the journal names is of the learner's making."""

    def __init__(self, learner: OnlineLearner, versions: list[str]) -> None:
        self._learner = learner
        self.versions = versions
        self.swaps: dict[int, str] = {}
        self._place = 0

    def expects(self, version: str) -> bool:
        """Whether a model is the one in service or one that the learner has handed over since; empty is none yet."""
        return version in ("", *self.versions[self._place :])

    def before(self, seq: int, values: FloatArray, past: FloatArray) -> None:
        """Go on from another model where somebody else has put one in service, or an older one back."""
        named = self.swaps.get(seq)
        if named is None:
            return
        if not self.expects(named):
            model: ModelBundle = self._learner.model
            self._learner.rebase(load_bundle(model.path.parent / named))
            self.versions.append(named)
        self._place = len(self.versions) - 1 - self.versions[::-1].index(named)
