"""The model registry for the length of a command, with the record of every decision."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from cli.ledger import services_of
from cli.served_model import end_served_shadow, serve_shadow, swap_served
from configs.schema import Settings
from outcry.adapters.postgres.decisions import DecisionLog, DecisionRecord
from outcry.adapters.redis_cache import FloorCache
from outcry.adapters.registry.models import ModelRegistry
from outcry.adapters.registry.version import SHADOW, ModelVersion
from outcry.adapters.services import Services
from outcry.errors import ModelError
from outcry.models.bundle import ModelBundle, load_bundle

Outcome = Literal["accepted", "refused", "forced"]


@contextmanager
def registry_of(settings: Settings) -> Iterator["RegistrySession"]:
    """Reach the journal and the registry of the settings for a block.

    Raises
    ------
    ConfigurationError
        Where MLflow is not installed.
    ServiceError
        Where a server cannot be reached.
    """
    with services_of(settings) as services:
        folder = settings.floor.state_dir / "mlflow"
        registry = ModelRegistry(settings.storage.mlflow_url, database_url=services.database_url, folder=folder)
        yield RegistrySession(settings, services, registry)


class RegistrySession:
    """See `registry_of`.

    Parameters
    ----------
    settings : Settings
    services : Services
        Entered.
    registry : ModelRegistry
    """

    def __init__(self, settings: Settings, services: Services, registry: ModelRegistry) -> None:
        self.settings = settings
        self._services = services
        self.registry = registry

    def model_name(self, given: str | None = None) -> str:
        """Return the model that is meant: the one given, that of the settings, or the only one there is.

        Raises
        ------
        ModelError
            Where there is none, or several.
        """
        names = self.registry.names()
        wanted = given or self.settings.registry.model_name
        if wanted is None and len(names) == 1:
            return names[0]
        if wanted in names:
            return str(wanted)
        if not names:
            raise ModelError("no model is registered yet: outcry train registers what it trains")
        raise ModelError(f"--model must name one of {', '.join(names)}, was {wanted}")

    def load(self, version: ModelVersion) -> ModelBundle:
        """Return the verified bundle of a version; raise `BundleError` where it is gone or damaged."""
        return load_bundle(self.registry.fetch(version, self.settings.floor.state_dir / "bundles"))

    def roll_back(self, name: str, reason: str, *, serves: bool) -> tuple[ModelVersion, str]:
        """Make the champion before this one champion again; return it, and the version that is served.

        Raises
        ------
        ModelError
            Where there is none, or the served ensemble refuses it.
        """
        champion, target = self.registry.champion(name), self.registry.previous_champion(name)
        path = self.load(target).path
        swapped = swap_served(self.settings, path) if serves else None
        if swapped is not None and swapped.refusal:
            raise ModelError(f"the served ensemble must take {target}, refused it: {swapped.refusal}")
        now = self.registry.rollback(name)
        before = None if champion is None else champion.bundle_version
        self.record("rollback", "accepted", now, before, reason, {})
        self.end_shadow(now, serves=serves)
        return now, "" if swapped is None else swapped.model_version

    def make_shadow(self, version: ModelVersion, *, serves: bool) -> tuple[str, str]:
        """Make a version the shadow; return the version that is served as such, and why it is not this one.

        The replicas get it first: one that they refuse does not become shadow.
        """
        swapped = serve_shadow(self.settings, self.load(version).path) if serves else None
        if swapped is None or not swapped.refusal:
            self.registry.set_alias(version, SHADOW)
        return ("", "") if swapped is None else (swapped.model_version, swapped.refusal)

    def end_shadow(self, version: ModelVersion, *, serves: bool) -> str:
        """Have a version be shadow no longer, if it is; return the version that replicas dropped for it."""
        if SHADOW not in self.registry.find(version.name, str(version.number)).aliases:
            return ""
        self.registry.drop_alias(version.name, SHADOW)
        return end_served_shadow(self.settings, version.bundle_version) if serves else ""

    def withdraw_shadow(self, name: str, *, serves: bool) -> tuple[ModelVersion | None, str]:
        """End the shadow of a model; return it, and the version that replicas dropped: any, where it has no alias.

        Raises
        ------
        ModelError
            Where there is neither.
        """
        shadow = next((each for each in self.registry.versions(name) if SHADOW in each.aliases), None)
        if shadow is not None:
            return shadow, self.end_shadow(shadow, serves=serves)
        dropped = end_served_shadow(self.settings, None) if serves else ""
        if not dropped:
            raise ModelError(f"{name} must have a shadow to withdraw, has none")
        return None, dropped

    def decisions(self, name: str) -> list[DecisionRecord]:
        """Return the latest decisions on a model, newest first."""

        async def read() -> list[DecisionRecord]:
            async with DecisionLog.connect(self._services.database_url) as log:
                return await log.of_model(name)

        return asyncio.run(read())

    def record(
        self,
        action: Literal["promote", "rollback"],
        outcome: Outcome,
        version: ModelVersion,
        champion_version: str | None,
        reason: str,
        figures: dict[str, Any],
    ) -> None:
        """Write a decision into the audit and on its version; where it was accepted, name the champion in Redis."""
        decision = DecisionRecord(
            model_name=version.name,
            action=action,
            outcome=outcome,
            version=version.version,
            bundle_version=version.bundle_version,
            champion_version=champion_version,
            reason=reason,
            figures=figures,
        )

        async def write() -> None:
            async with DecisionLog.connect(self._services.database_url) as log:
                await log.add(decision)
            if outcome != "refused":
                cache = FloorCache(self._services.redis_url)
                try:
                    await cache.set_active_model(version.name, version.bundle_version)
                finally:
                    await cache.close()

        asyncio.run(write())
        told = {"action": action, "outcome": outcome, "champion": champion_version, "reason": reason}
        self.registry.record(version, told | {"figures": figures})

    async def rivals_before(self, version: ModelVersion, champion: ModelVersion | None) -> int:
        """Return how many other versions were held against the same champion."""
        before = None if champion is None else champion.bundle_version
        async with DecisionLog.connect(self._services.database_url) as log:
            return await log.rivals_before(version.name, before, version.bundle_version)
