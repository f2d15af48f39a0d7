"""The headers that sign a webhook.

Source: Vipps Webhooks API, request authentication.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from email.utils import formatdate
from urllib.parse import urlsplit


def signed_headers(secret: str, *, url: str, body: bytes, at: float) -> dict[str, str]:
    """`at` is Unix time. Path and host are the registered URL's; the key is the secret's text, not what it decodes to."""
    parts = urlsplit(url)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    date = formatdate(at, usegmt=True)
    content_hash = base64.b64encode(hashlib.sha256(body).digest()).decode()
    text = f"POST\n{path}\n{date};{parts.netloc};{content_hash}"
    signature = base64.b64encode(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest()).decode()
    return {
        "Host": parts.netloc,
        "x-ms-date": date,
        "x-ms-content-sha256": content_hash,
        "Authorization": f"HMAC-SHA256 SignedHeaders=x-ms-date;host;x-ms-content-sha256&Signature={signature}",
    }
