"""What the OpenAPI document says about ``POST /v1/predict``, whose body is read without a schema library."""

from typing import Any

_ROW = {"type": "array", "items": {"type": "number", "nullable": True}}
_SYMBOLS = {"type": "array", "items": {"type": "string"}, "example": ["AAPL", "MSFT"]}

_REQUEST: dict[str, Any] = {
    "oneOf": [
        {
            "title": "by rows",
            "type": "object",
            "required": ["rows"],
            "properties": {
                "rows": {"type": "array", "items": _ROW},
                "feature_names": {"type": "array", "items": {"type": "string"}},
                "windows": {
                    "type": "array",
                    "items": {"type": "array", "items": _ROW},
                    "description": "Of each row the last bars, oldest first and that of the row last; for a model that "
                    "reads windows. The model's lookback_bars are in /v1/models.",
                },
                "symbols": _SYMBOLS,
            },
        },
        {
            "title": "by named features",
            "type": "object",
            "required": ["features"],
            "properties": {
                "features": {
                    "type": "array",
                    "items": {"type": "object", "additionalProperties": {"type": "number", "nullable": True}},
                },
                "symbols": _SYMBOLS,
            },
        },
        {"title": "by symbol", "type": "object", "required": ["symbols"], "properties": {"symbols": _SYMBOLS}},
    ]
}

_CLASSES = ["up", "neutral", "down"]
_PROBABILITY = {"type": "number", "minimum": 0, "maximum": 1, "nullable": True}
_RESPONSE: dict[str, Any] = {
    "type": "object",
    "properties": {
        "model_version": {"type": "string"},
        "horizon_bars": {"type": "integer"},
        "latency_ms": {"type": "number"},
        "predictions": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {
                    "symbol": {"type": "string"},
                    "direction": {"type": "string", "enum": ["long", "neutral", "short"], "nullable": True},
                    "class": {"type": "string", "enum": _CLASSES, "nullable": True},
                    "probability": {
                        "type": "object",
                        "properties": {"up": _PROBABILITY, "neutral": _PROBABILITY, "down": _PROBABILITY},
                    },
                    "confidence": {"type": "number", "minimum": 0, "maximum": 1},
                    "prediction_set": {"type": "array", "items": {"type": "string", "enum": _CLASSES}},
                    "abstain": {"type": "boolean"},
                    "abstain_reason": {
                        "type": "string",
                        "enum": ["prediction_set", "disagreement", "agreement"],
                        "nullable": True,
                    },
                },
            },
        },
    },
}

_ERROR: dict[str, Any] = {
    "type": "object",
    "properties": {
        "detail": {"type": "string"},
        "status_code": {"type": "integer"},
        "timestamp": {"type": "string", "format": "date-time"},
        "request_id": {"type": "string"},
    },
}

_BINARY = {"schema": {"type": "string", "format": "binary"}}
_ERROR_MEANINGS = {
    "400": "The body cannot be read.",
    "404": "A symbol has no recent features.",
    "409": "Symbols were asked for, and the model in service reads windows.",
    "413": "Too many rows or bytes.",
    "415": "The content type is another.",
    "422": "The body breaks a rule.",
    "503": "The feature cache cannot be reached.",
}

PREDICT_OPENAPI: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "JSON, or an Arrow stream: a float64 column a feature; symbol, text, may name the rows; window, "
        "fixed_size_list<float32>[n_bars * n_features], holds the last bars of each row, oldest first.",
        "content": {
            "application/json": {"schema": _REQUEST},
            "application/vnd.apache.arrow.stream": _BINARY,
        },
    },
    "responses": {
        "200": {
            "description": "One prediction a row.",
            "content": {
                "application/json": {"schema": _RESPONSE},
                "application/vnd.apache.arrow.stream": _BINARY,
            },
        },
        **{
            status: {"description": meaning, "content": {"application/json": {"schema": _ERROR}}}
            for status, meaning in _ERROR_MEANINGS.items()
        },
    },
}
