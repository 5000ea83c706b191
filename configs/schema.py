"""All settings of outcry, composed of the sections that live beside their components."""

from typing import Any, Literal

from configs.evaluation import EvaluationConfig
from configs.features import FeaturesConfig
from configs.floor import FloorConfig, RayConfig, StorageConfig
from configs.jobs import JobsConfig
from configs.online import OnlineConfig
from configs.registry import RegistryConfig
from configs.report import ReportConfig
from configs.search import SearchConfig
from configs.serving import ServingConfig
from configs.stress import StressConfig
from configs.training import TrainingConfig
from configs.uncertainty import UncertaintyConfig
from outcry.alphas.config import AlphasConfig
from outcry.backtest.windows import WalkForwardConfig
from outcry.config import FrozenConfig
from outcry.execution.config import BrokerConfig
from outcry.market.source import SourceConfig
from outcry.portfolio.config import PortfolioConfig
from outcry.risk.config import RiskConfig


class Settings(FrozenConfig):
    """Every section.

    ``mode`` is ``local`` (replay, simulated broker) or ``dry`` (orders are journalled, none is sent).
    """

    mode: Literal["local", "dry"] = "local"
    market: SourceConfig = SourceConfig()
    features: FeaturesConfig = FeaturesConfig()
    training: TrainingConfig = TrainingConfig()
    uncertainty: UncertaintyConfig = UncertaintyConfig()
    evaluation: EvaluationConfig = EvaluationConfig()
    alphas: AlphasConfig = AlphasConfig()
    walk_forward: WalkForwardConfig = WalkForwardConfig()
    portfolio: PortfolioConfig = PortfolioConfig()
    risk: RiskConfig = RiskConfig()
    broker: BrokerConfig = BrokerConfig()
    serving: ServingConfig = ServingConfig()
    floor: FloorConfig = FloorConfig()
    report: ReportConfig = ReportConfig()
    stress: StressConfig = StressConfig()
    search: SearchConfig = SearchConfig()
    registry: RegistryConfig = RegistryConfig()
    online: OnlineConfig = OnlineConfig()
    jobs: JobsConfig = JobsConfig()
    storage: StorageConfig = StorageConfig()
    ray: RayConfig = RayConfig()

    def public(self) -> dict[str, Any]:
        """Return the settings as JSON values without secrets: what a run records of itself."""
        return self.model_dump(mode="json", exclude={"storage"})
