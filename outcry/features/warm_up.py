"""Have every kernel ready before it is waited for: compiled, by all cores, or loaded from Numba's cache."""

import os
import subprocess
import sys
from collections.abc import Callable, Sequence

from outcry.compiled import is_cached
from outcry.errors import ServiceError
from outcry.features.catalogue import code_hash
from outcry.features.cross.advance import compile_advance
from outcry.features.cross.refit import compile_refit
from outcry.features.engine import advance_of, compiled_family
from outcry.features.feature_set import CROSS, FeatureSet
from outcry.features.kernels.advance import SIGNATURE

_SECONDS = {CROSS: 25, "statistics": 18, "trend": 11, "rolling": 10, "micro": 10}
"""About what a part takes to compile; another one takes 5. They are shared out by it."""

_PROGRAM = """
import sys
from outcry.features.warm_up import compile_part
for part in sys.argv[1:]:
    compile_part(part)
    print(part, flush=True)
"""


def warm_up(features: FeatureSet, on_progress: Callable[[float], None] = lambda fraction: None) -> None:
    """Compile what a feature set runs, or load it from the cache; else the first engine does so without a word.

    Parameters
    ----------
    features : FeatureSet
    on_progress : callable
        Called with the fraction of the parts that are ready.

    Raises
    ------
    ServiceError
        Where a process that compiles ends with an error.
    """
    parts = [program.family.name for program in features.programs]
    missing = [part for part in parts if not is_cached(advance_of(part), SIGNATURE)]
    if len(missing) > 1:
        # Nothing says whether the second stage is cached; it belongs to the same code, and is dear.
        queue = [*missing, CROSS] if len(features.cross_chosen) else missing
        _compile_in_processes(queue, on_progress)
    for part in parts:
        compiled_family(part)
    if len(features.cross_chosen):
        compile_part(CROSS)
    on_progress(1.0)


def compile_part(name: str) -> None:
    """Compile a family or the second stage, or load it from the cache."""
    if name == CROSS:
        version = code_hash(CROSS)
        compile_advance(version)
        compile_refit(version)
    else:
        compiled_family(name)


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
