from pathlib import Path

import numpy as np

from bench.peers.protocol import PRICES, Bars, Fill, Trade, pair_fills, read_bars, write_bars


def test_bars_come_back_as_they_were_written(tmp_path: Path):
    market = [
        Bars(
            symbol, np.arange(n, dtype=np.int64) + 10**18, {name: np.random.default_rng(n).random(n) for name in PRICES}
        )
        for symbol, n in (("AAPL", 3), ("BRK.B", 5))
    ]
    write_bars(tmp_path / "bars.npz", market)
    back = read_bars(tmp_path / "bars.npz")
    assert [bars.symbol for bars in back] == ["AAPL", "BRK.B"]
    for bars, again in zip(market, back, strict=True):
        assert again.ts_open_ns.dtype == np.int64
        np.testing.assert_array_equal(again.ts_open_ns, bars.ts_open_ns)
        for name in PRICES:
            np.testing.assert_array_equal(again.prices[name], bars.prices[name])


def test_buys_and_sells_are_paired_and_the_last_buy_is_left_out():
    fills = [Fill(1, 10.0, 100, 1.0), Fill(2, 11.0, 100, 1.1), Fill(3, 12.0, 100, 1.2)]
    assert pair_fills("X", fills) == [Trade("X", 1, 2, 10.0, 11.0, 100, 2.1)]
    assert pair_fills("X", []) == []
