"""From an order to its fills.

Holds: the lifecycle of an order, the router, the simulated broker and what trades cost, a ledger in memory.
Must not import: backtest, adapters, Ray.
Start reading at: `outcry.execution.router`, then `outcry.execution.simulated_broker`.

`MemoryLedger` in ``memory_ledger``; `OrderRecord` in ``lifecycle``; `OrderRouter` in ``router``;
`BrokerConfig`, `SimulatedBroker` in ``simulated_broker``
"""
