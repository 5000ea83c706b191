import pytest

from actors.stopwatch import Stopwatch


class Port:
    async def double(self, x: int) -> int:
        return 2 * x

    async def fail(self) -> None:
        raise ValueError("no")


async def test_every_call_of_a_watched_port_is_timed_under_its_name() -> None:
    stopwatch = Stopwatch()
    port = stopwatch.watch("port", Port())
    assert [await port.double(1), await port.double(4)] == [2, 8]
    assert stopwatch.samples["port.double"].shape == (2,)
    assert stopwatch.last("port.double") >= 0


async def test_a_call_that_fails_is_timed_and_fails() -> None:
    stopwatch = Stopwatch()
    port = stopwatch.watch("port", Port())
    with pytest.raises(ValueError, match="no"):
        await port.fail()
    assert len(stopwatch.samples["port.fail"]) == 1
