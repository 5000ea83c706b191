"""Have every kernel of a run ready before it is waited for: compiled, by all cores, or loaded from Numba's cache."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from outcry.backtest.fast.loop import compile_run
from outcry.compiled import NotCompiledError, only_loading
from outcry.errors import ServiceError
from outcry.execution.kernels import entry
from outcry.features.catalogue import code_hash
from outcry.features.cross.advance import compile_advance as compile_cross_advance
from outcry.features.cross.refit import compile_refit
from outcry.features.engine import compiled_family
from outcry.features.feature_set import CROSS, FeatureSet
from outcry.models.kernels.forest import compile_predict
from outcry.models.kernels.known import compile_find_known
from outcry.portfolio.kernels.positions import compile_settle
from outcry.portfolio.kernels.proposal import compile_propose
from outcry.portfolio.kernels.rebalancing import compile_rebalancing
from outcry.portfolio.kernels.version import kernels_version as portfolio_version
from outcry.risk.gate import kernel_hash as gate_version
from outcry.risk.kernels.review import compile_review

FOREST, PORTFOLIO, GATE, MARKET, LOOP = "forest", "portfolio", "gate", "market", "loop"
DESK = (FOREST, PORTFOLIO, GATE, MARKET)
"""What every desk runs; `LOOP` is the whole of a fast backtest."""

_SECONDS = {
    LOOP: 40, CROSS: 25, "statistics": 18, MARKET: 16, "trend": 11, GATE: 10, "rolling": 10, "micro": 10, PORTFOLIO: 10,
}  # fmt: skip
"""About what a part takes to compile; another one takes 5. They are shared out by it."""

_PROGRAM = """
import sys
from outcry.backtest.warm_up import compile_part
for part in sys.argv[1:]:
    compile_part(part)
    print(part, flush=True)
"""


def warm_up(
    features: FeatureSet,
    on_progress: Callable[[float], None] = lambda fraction: None,
    *,
    others: Sequence[str] = DESK,
) -> None:
    """Compile what a run needs, or load it from the cache; else the first to need it does so without a word.

    Parameters
    ----------
    features : FeatureSet
    on_progress : callable
        Called with the fraction of the parts that are ready.
    others : sequence of str
        Parts beside the features: of `DESK`, and `LOOP`.

    Raises
    ------
    ServiceError
        Where a process that compiles ends with an error.
    """
    parts = [*(program.family.name for program in features.programs), *others]
    if len(features.cross_chosen):
        parts.append(CROSS)
    missing = [part for part in parts if not _is_loaded(part)]
    if len(missing) > 1:
        _compile_in_processes(missing, on_progress)
    for part in missing:
        compile_part(part)
    on_progress(1.0)


def compile_part(name: str) -> None:
    """Compile a family of features or another part, or load it from the cache."""
    if name == CROSS:
        version = code_hash(CROSS)
        compile_cross_advance(version)
        compile_refit(version)
    elif name in _PARTS:
        for compile_entry in _PARTS[name]:
            compile_entry()
    else:
        compiled_family(name)


_PARTS: dict[str, tuple[Callable[[], object], ...]] = {
    FOREST: (lambda: compile_predict("f4"), lambda: compile_predict("f8"), compile_find_known),
    PORTFOLIO: (
        lambda: compile_settle(portfolio_version()),
        lambda: compile_rebalancing(portfolio_version()),
        lambda: compile_propose(portfolio_version()),
    ),
    GATE: (lambda: compile_review(gate_version()),),
    MARKET: (entry.compile_advance, entry.compile_accept, entry.compile_cancel, entry.compile_watch),
    LOOP: (compile_run,),
}


def _is_loaded(part: str) -> bool:
    try:
        with only_loading():
            compile_part(part)
    except NotCompiledError:
        return False
    return True


def _compile_in_processes(parts: Sequence[str], on_progress: Callable[[float], None]) -> None:
    """Share the parts out to a process a core; Numba compiles under a lock, so threads would wait for each other."""
    shares: list[list[str]] = [[] for _ in range(min(os.cpu_count() or 1, len(parts)))]
    for part in sorted(parts, key=lambda part: -_SECONDS.get(part, 5)):
        min(shares, key=lambda share: sum(_SECONDS.get(p, 5) for p in share)).append(part)
    on_progress(0.0)
    workers = [
        subprocess.Popen([sys.executable, "-c", _PROGRAM, *share], stdout=subprocess.PIPE, text=True)  # noqa: S603
        for share in shares
    ]
    try:
        done = 0
        for worker in workers:
            assert worker.stdout is not None  # noqa: S101 - it was asked for
            for _ in worker.stdout:
                done += 1
                on_progress(done / (len(parts) + 1))
        for worker, share in zip(workers, shares, strict=True):
            if worker.wait():
                raise ServiceError(
                    f"kernels {', '.join(share)} must compile, the process ended with {worker.returncode}"
                )
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
