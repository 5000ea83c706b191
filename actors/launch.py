"""Wire the floor: create every actor, by name and policy, and hand out clients."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

import ray

from actors.alphas import AlphaPortfolioClient
from actors.calls import NamedActor, packed
from actors.desk import DeskActor, DeskClient
from actors.execution import ExecutionActor, ExecutionClient
from actors.feed import FeedActor, FeedClient
from actors.journal import JournalActor, JournalClient
from actors.portfolio import PortfolioActor, PortfolioClient
from actors.risk import RiskActor, RiskClient
from actors.shard import FeatureShardActor, FeatureShardsClient
from actors.supervisor import SupervisorActor, SupervisorClient
from configs.floor import ActorConfig, ActorName
from configs.plan import RunPlan
from outcry.desk import Desk
from outcry.ports import PortfolioBook, Predictor


@dataclass(frozen=True, slots=True)
class Floor:
    """Clients of a launched floor."""

    desk: DeskClient
    journal: JournalClient
    supervisor: SupervisorClient


@asynccontextmanager
async def launch_floor(plan: RunPlan, predictor: Predictor, database_url: str, redis_url: str) -> AsyncIterator[Floor]:
    """Create the actors of a run on the connected Ray cluster, yield their clients, and end the actors with the block.

    The actors are named ``<run_id>/<actor>`` and belong to the calling process. They start beside whatever the block
    does first; `predictor` is not asked before ``floor.desk.start()``.
    """
    plan = replace(plan, benchmark=None)  # prices for the report, which no actor needs
    floor_config = plan.settings.floor
    deadline_s = floor_config.recovery_deadline_s

    handles: list[Any] = []

    def create(kind: ActorName, shell: type, *args: object, name: str | None = None) -> NamedActor:
        policy = floor_config.actors.get(kind, ActorConfig())
        full_name = f"{plan.run_id}/{name or kind}"
        options: dict[str, Any] = {
            "name": full_name,
            "num_cpus": policy.num_cpus,
            "max_restarts": policy.max_restarts,
            "max_task_retries": 0,  # a repeat is ours to send: it carries seq
            "enable_task_events": False,
        }
        if policy.resources:
            options["resources"] = policy.resources
        if kind == "desk":  # it asks Serve from one event loop only: the router may run there, without a thread between
            options["runtime_env"] = {"env_vars": {"RAY_SERVE_RUN_ROUTER_IN_SEPARATE_LOOP": "0"}}
        handles.append(ray.remote(packed(shell)).options(**options).remote(*args))
        return NamedActor(full_name)

    try:
        indices = [plan.shard_indices(shard) for shard in range(floor_config.n_shards)]
        owned = [shard for shard, columns in enumerate(indices) if len(columns)]
        actors = {"journal": create("journal", JournalActor, plan, database_url, redis_url)}
        journal = JournalClient(actors["journal"], deadline_s)
        shards = []
        for shard in owned:
            name = f"shard-{shard}"
            actors[name] = create("shard", FeatureShardActor, plan, shard, database_url, journal, name=name)
            shards.append(actors[name])
        actors["portfolio"] = create("portfolio", PortfolioActor, plan, database_url)
        actors["risk"] = create("risk", RiskActor, plan, database_url)
        actors["execution"] = create("execution", ExecutionActor, plan, database_url)
        actors["feed"] = create("feed", FeedActor, plan)
        portfolio: PortfolioBook = PortfolioClient(actors["portfolio"], plan.build_construction(), deadline_s)
        if plan.settings.alphas.trade:
            portfolio = AlphaPortfolioClient(portfolio, plan, database_url, journal)
        ports = Desk(
            journal=journal,
            router=ExecutionClient(actors["execution"], deadline_s),
            portfolio=portfolio,
            features=FeatureShardsClient(
                plan, shards, [indices[shard] for shard in owned], database_url, journal, deadline_s=deadline_s
            ),
            predictor=predictor,
            risk=RiskClient(actors["risk"], deadline_s),
        )
        feed = FeedClient(actors["feed"], deadline_s)
        actors["desk"] = create("desk", DeskActor, plan, database_url, ports, feed, journal)
        supervisor = create("supervisor", SupervisorActor, floor_config, actors, journal)
        yield Floor(
            desk=DeskClient(actors["desk"], deadline_s),
            journal=journal,
            supervisor=SupervisorClient(supervisor, deadline_s),
        )
    finally:  # the supervisor first, so that none is brought back
        for handle in reversed(handles):
            ray.kill(handle)
