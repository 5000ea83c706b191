"""What is decided on a model is kept in the journal's database, and found by run."""

from outcry.adapters.postgres.decisions import DecisionLog, DecisionRecord


def decision(action, run_id: str, seq: int, outcome="accepted") -> DecisionRecord:
    figures = {"run_id": run_id, "seq": seq, "kept_frac": 0.99}
    return DecisionRecord("model", action, outcome, "1.0.1", f"bundle{seq}", "parent", "a reason", figures)


async def test_updates_are_found_by_their_run_in_the_order_they_were_made(postgres_url: str) -> None:
    async with DecisionLog.connect(postgres_url) as log:
        for made in (
            decision("update", "one", 30),
            decision("promote", "one", 31),
            decision("update", "other", 32),
            decision("update", "one", 60, "refused"),
        ):
            await log.add(made)
        found = await log.updates_of("one")
        assert [(each.bundle_version, each.outcome, each.figures["seq"]) for each in found] == [
            ("bundle30", "accepted", 30),
            ("bundle60", "refused", 60),
        ]
        assert await log.updates_of("nobody") == []
        assert await log.rivals_before("model", "parent", "new") == 1  # an update is no try to become champion
