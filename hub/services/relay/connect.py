"""Connects this hub to a cloud: verifies the key, and that it is a hub's."""

from hub.actions.cloud import link as cloud_link
from hub.core.cloud.link import Link
from hub.core.errors import OperatorError
from hub.services.relay.client import Cloud, check_url
from hub.services.relay.rate_limit import RateLimit
from hub.store.database import Store

HUB_TYPE = "sync_hub"
_PER_MINUTE = 60
"""All that the cloud allows: somebody waits for the answer, and the relay leaves room for it."""
_KEY_CHARS = 512


def connect(store: Store, url: str, api_key: str, *, per_minute: int = _PER_MINUTE) -> Link:
    """Verify the key with the cloud and keep both; returns what the cloud says of this hub.

    Raises OperatorError for an address or a key that cannot be right, CloudError when the cloud does not say yes.
    """
    key = api_key.strip().removeprefix("\ufeff").strip()  # as some systems write text
    if not key or len(key) > _KEY_CHARS or not key.isascii() or not key.isprintable():
        raise OperatorError("an API key is one line: hh_ and 64 letters and digits")
    address = check_url(url)
    client = Cloud(address, key, RateLimit(store.path.parent, per_minute))
    try:
        device = client.verify()
    finally:
        client.close()
    if device.device_type != HUB_TYPE:
        raise OperatorError(f"this key belongs to a device of type {device.device_type!r}, not to a hub")
    clinics = tuple(clinic.lower() for clinic in device.clinic_ids)
    link = Link(address, device.id, device.name, clinics, device.status)
    cloud_link.connect(store, link, key)
    return link
