"""Where numbers stand in the arrays of the risk kernels. Importing this starts no compiler.

State, int64 (N_STATE,): what is remembered from frame to frame.

| slot | meaning |
|---|---|
| `EQUITY`, `PEAK_EQUITY`, `SESSION_START_EQUITY` | money units |
| `SESSION` | position of the session; -1 before the first frame |
| `IS_SESSION_BLOCKED`, `IS_HALTED`, `IS_FLATTENING` | 1 or 0 |
| `RUNG` | steps of the drawdown ladder in force |
| `WAS_SESSION_BLOCKED`, `WAS_HALTED`, `WAS_FLATTENING` | the same after the last frame, before operators commanded |

Config, float64 (N_CONFIG,): the fields of `outcry.risk.config.RiskConfig` of the same names, then

| slot | meaning |
|---|---|
| `LOT_SHARES` | shares in a lot |
| `MONEY_SCALE` | money units in one unit of account currency |

Totals, float64 (N_TOTALS,): of an exposure, account currency.

| slot | meaning |
|---|---|
| `T_EQUITY` | equity of the frame |
| `T_GROSS`, `T_NET` | Σ abs(value) and Σ value of what is held and on its way |
| `T_POSITIONS` | symbols held or on their way |
| `T_EXPOSURE_FRAC` | part of wanted exposure that may be held; 1 where no step of the ladder is in force |
| `T_BLOCK_VALUE`, `T_BLOCK_THRESHOLD` | what blocks new risk measured, and the threshold it reached |

An event, int64 (N_EVENT_NUMBERS,) and float64 (2,): `outcry.risk.events` puts it into words.

| column | meaning |
|---|---|
| `E_LIMIT` | place in `LIMIT_NAMES` |
| `E_SYMBOL` | place in the universe; -1 where it is about all |
| `E_ACTION` | one of the actions |
| `E_FIRST`, `E_SECOND` | numbers of the action |
| `E_VALUE`, `E_THRESHOLD` | what was measured, and the threshold |
"""

(
    EQUITY, PEAK_EQUITY, SESSION_START_EQUITY, SESSION, IS_SESSION_BLOCKED, RUNG, IS_HALTED, IS_FLATTENING,
    WAS_SESSION_BLOCKED, WAS_HALTED, WAS_FLATTENING,
) = range(11)  # fmt: skip
N_STATE = 11

(
    MAX_POSITION_FRAC, MAX_GROSS_FRAC, MAX_NET_FRAC, MAX_POSITIONS, DAILY_LOSS_FRAC, LADDER_RECOVERY_FRAC,
    DELEVERAGE_BAND_FRAC, MAINTENANCE_MARGIN_FRAC, INITIAL_MARGIN_FRAC, LOT_SHARES, MONEY_SCALE,
) = range(11)  # fmt: skip
N_CONFIG = 11

T_EQUITY, T_GROSS, T_NET, T_POSITIONS, T_EXPOSURE_FRAC, T_BLOCK_VALUE, T_BLOCK_THRESHOLD = range(7)
N_TOTALS = 7

(
    DRAWDOWN, POSITION_LIMIT, GROSS_LIMIT, NET_LIMIT, COUNT_LIMIT, SECTOR_LIMIT,
    KILL_SWITCH, DAILY_LOSS, NO_EQUITY, MARGIN, UNPRICED,
) = range(11)  # fmt: skip
"""The limits: those up to `SECTOR_LIMIT` leave some room, the others none, and `UNPRICED` only names an event."""
LIMIT_NAMES = (
    "drawdown", "position", "gross_exposure", "net_exposure", "position_count", "sector",
    "kill_switch", "daily_loss", "equity", "margin_call", "unpriced",
)  # fmt: skip
NO_LIMIT = -1

E_LIMIT, E_SYMBOL, E_ACTION, E_FIRST, E_SECOND = range(5)
N_EVENT_NUMBERS = 5
E_VALUE, E_THRESHOLD = range(2)
N_EVENT_VALUES = 2
ALL_SYMBOLS = -1

CLIPPED, REFUSED, NEW_RISK_REFUSED, SESSION_BLOCKED, SCALED, FLATTENED, SENT, REDUCED = range(8)
"""Actions: clipped to so many lots of so many; refused; new risk refused in so many orders; a session blocked; exposure
scaled to that of a rung; flattened and halted; sent, so many signed lots for a purpose; reduced in so many orders."""
