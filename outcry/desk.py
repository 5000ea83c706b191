"""The life of a frame: the only place where the order of steps is written."""

from asyncio import create_task
from dataclasses import dataclass

from outcry.market.frame import Frame
from outcry.messages import FeatureFrame, Forecast, FrameOutcome
from outcry.ports import Features, FrameJournal, PortfolioBook, Predictor, RiskReview, Router


@dataclass(frozen=True, slots=True)
class Desk:
    """Six ports. Plain objects make an event-driven backtest; actor clients make the live floor."""

    journal: FrameJournal
    router: Router
    portfolio: PortfolioBook
    features: Features
    predictor: Predictor
    risk: RiskReview


async def trade_frame(frame: Frame, desk: Desk) -> FrameOutcome:
    """Trade one frame; the orders of frame t rest on frames 0..t only and fill on frame t+1 at the earliest."""
    forecasting = create_task(_forecast(frame, desk))  # the longest way, and it needs no fill: beside all else
    executions = await desk.router.advance(frame)  # simulated: match at this bar; live: drain what arrived
    durable = create_task(desk.journal.append(frame))  # runs beside the next steps
    book = await desk.portfolio.settle(executions, frame)
    features, forecast = await forecasting
    wanted = await desk.portfolio.propose(forecast, book)
    inputs = await durable  # no order rests on a frame that could be lost
    verdict = await desk.risk.review(wanted, book, inputs)  # an order that reduces risk is never refused
    submission = await desk.router.submit(verdict)  # journalled first, deterministic client order id
    outcome = FrameOutcome(frame.seq, frame.ts_close_ns, executions, book, forecast, verdict, submission, features)
    await desk.journal.record(outcome)  # the frame is complete
    return outcome


async def _forecast(frame: Frame, desk: Desk) -> tuple[FeatureFrame, Forecast]:
    features = await desk.features.update(frame)  # all shards in parallel, one columnar message each
    return features, await desk.predictor.predict(features)  # one batched call, with a deadline and a fallback
