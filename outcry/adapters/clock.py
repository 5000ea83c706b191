"""The wall clock of the machine."""

import asyncio
import time


class SystemClock:
    """`outcry.ports.Clock` over the operating system."""

    def now_ns(self) -> int:
        return time.time_ns()

    async def sleep_until_ns(self, ts_ns: int) -> None:
        await asyncio.sleep(max(0, ts_ns - time.time_ns()) / 1e9)
