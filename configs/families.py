"""The parameters of every family: a field each, named after it."""

from outcry.config import FrozenConfig
from outcry.models.families.autoencoder import AutoencoderParams
from outcry.models.families.catboost import CatBoostParams
from outcry.models.families.cnn import CNNParams
from outcry.models.families.cnn_lstm import CNNLSTMParams
from outcry.models.families.deepar import DeepARParams
from outcry.models.families.elastic_net import ElasticNetParams
from outcry.models.families.extra_trees import ExtraTreesParams
from outcry.models.families.gru import GRUParams
from outcry.models.families.informer import InformerParams
from outcry.models.families.lightgbm import LightGBMParams
from outcry.models.families.logistic import LogisticParams
from outcry.models.families.lstm import LSTMParams
from outcry.models.families.nbeats import NBeatsParams
from outcry.models.families.random_forest import RandomForestParams
from outcry.models.families.ridge import RidgeParams
from outcry.models.families.tcn import TCNParams
from outcry.models.families.tft import TFTParams
from outcry.models.families.transformer import TransformerParams
from outcry.models.families.variational_autoencoder import VariationalAutoencoderParams
from outcry.models.families.xgboost import XGBoostParams


class FamiliesConfig(FrozenConfig):
    """How each family is fitted where it is a member."""

    autoencoder: AutoencoderParams = AutoencoderParams()
    catboost: CatBoostParams = CatBoostParams()
    cnn: CNNParams = CNNParams()
    cnn_lstm: CNNLSTMParams = CNNLSTMParams()
    deepar: DeepARParams = DeepARParams()
    elastic_net: ElasticNetParams = ElasticNetParams()
    extra_trees: ExtraTreesParams = ExtraTreesParams()
    gru: GRUParams = GRUParams()
    informer: InformerParams = InformerParams()
    lightgbm: LightGBMParams = LightGBMParams()
    logistic: LogisticParams = LogisticParams()
    lstm: LSTMParams = LSTMParams()
    nbeats: NBeatsParams = NBeatsParams()
    random_forest: RandomForestParams = RandomForestParams()
    ridge: RidgeParams = RidgeParams()
    tcn: TCNParams = TCNParams()
    tft: TFTParams = TFTParams()
    transformer: TransformerParams = TransformerParams()
    variational_autoencoder: VariationalAutoencoderParams = VariationalAutoencoderParams()
    xgboost: XGBoostParams = XGBoostParams()
