"""Options that several commands share, and the settings they select."""

from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from configs.loader import load_settings
from configs.schema import Settings

Source = Annotated[str | None, typer.Option("--source", help="sample, or a Parquet or CSV file, or a folder of them.")]
Symbols = Annotated[
    str | None, typer.Option("--symbols", help="AAPL,MSFT,… or a number: so many symbols, the first by name.")
]
Start = Annotated[
    datetime | None, typer.Option("--from", formats=["%Y-%m-%d"], help="First session, as a date of the exchange.")
]
End = Annotated[datetime | None, typer.Option("--to", formats=["%Y-%m-%d"], help="Last session, inclusive.")]
Bars = Annotated[str | None, typer.Option("--bars", help="Aggregate up to this bar size: 15min, 1h, 1d.")]
Mode = Annotated[str | None, typer.Option("--mode", help="local: simulated broker. dry: no order is sent.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="A YAML file of settings.")]
Assignments = Annotated[
    list[str] | None, typer.Option("--set", metavar="SECTION.KEY=VALUE", help="One setting; may be repeated.")
]
Bundle = Annotated[Path | None, typer.Option("--bundle", help="Trade this bundle instead of training one.")]
Benchmark = Annotated[
    str | None,
    typer.Option(
        "--benchmark",
        help="What the report measures the run against: universe, cash, cash=0.03, SPY, SPY=0.6,TLT=0.4, "
        "SPY@prices.parquet or prices.parquet.",
        show_default=False,
    ),
]
Horizon = Annotated[
    str | None,
    typer.Option("--horizon", help="What is forecast: 1m, 5m, 15m, 1h, 4h, 1d, 7d or 1M ahead.", show_default=False),
]
Families = Annotated[
    list[str] | None,
    typer.Option(
        "--family",
        help="A member of the ensemble, FAMILY@BARS where it learns another horizon; may be repeated. Those of the "
        "horizon without it.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
RunId = Annotated[str | None, typer.Argument(metavar="[RUN]", help="A run; the newest without it.", show_default=False)]


def read_settings(
    *,
    source: str | None = None,
    symbols: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    bars: str | None = None,
    mode: str | None = None,
    config: Path | None = None,
    assignments: list[str] | None = None,
    speed: float | None = None,
    benchmark: str | None = None,
    horizon: str | None = None,
    families: list[str] | None = None,
) -> Settings:
    """Return the settings that these options select over files and environment."""
    market: dict[str, Any] = {
        "source": source,
        "symbols": _read_symbols(symbols),
        "start": start.date() if start else None,
        "end": end.date() if end else None,
        "bars": bars,
    }
    options: dict[str, Any] = {"market": {key: value for key, value in market.items() if value is not None}}
    if speed is not None:
        options["floor"] = {"speed": speed}
    if benchmark is not None:
        options["report"] = {"benchmark": benchmark}
    training = {"horizon": horizon, "members": families}
    options["training"] = {key: value for key, value in training.items() if value}
    return load_settings(mode=mode, config=config, assignments=assignments or (), options=options)


def _read_symbols(text: str | None) -> int | tuple[str, ...] | None:
    if text is None:
        return None
    return int(text) if text.strip().isdecimal() else tuple(part.strip() for part in text.split(",") if part.strip())
