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
                    "class": {"type": "string", "enum": ["up", "neutral", "down"], "nullable": True},
                    "probability": {
                        "type": "object",
                        "properties": {"up": _PROBABILITY, "neutral": _PROBABILITY, "down": _PROBABILITY},
                    },
                    "confidence": {"type": "number", "minimum": 0, "maximum": 1},
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
    "413": "Too many rows or bytes.",
    "415": "The content type is another.",
    "422": "The body breaks a rule.",
    "503": "The feature cache cannot be reached.",
}

PREDICT_OPENAPI: dict[str, Any] = {
    "requestBody": {
        "required": True,
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
