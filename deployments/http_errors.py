"""The body of every HTTP error."""

from uuid import uuid4

import numpy as np
import orjson
from starlette.requests import Request
from starlette.responses import Response


def error_response(request: Request, status_code: int, detail: str, ts_ns: int) -> Response:
    """Return ``{detail, status_code, timestamp, request_id}``; the id is that of the request where it had one."""
    content = {
        "detail": detail,
        "status_code": status_code,
        "timestamp": f"{np.datetime64(ts_ns, 'ns')}Z",
        "request_id": request.headers.get("x-request-id") or str(uuid4()),
    }
    return Response(orjson.dumps(content), status_code=status_code, media_type="application/json")
