"""Names every event that the hub logs: what of the log may leave the clinic is known by these names (redaction)."""

from enum import StrEnum


class LogEvent(StrEnum):
    """What happened: the part of the hub, a dot, what it did; alone the part that works as it should."""

    BACKUP_FAILED = "backup.failed"
    BUTTON_PRESSED = "button.pressed"
    BUTTON_REFUSED = "button.refused"
    CONNECTIONS_ENDED = "connections.ended"
    DATABASE_DAMAGED = "database.damaged"
    DISCOVERY_ANNOUNCED = "discovery.announced"
    DISCOVERY_FAILED = "discovery.failed"
    DISCOVERY_GIVES_WAY = "discovery.gives_way"
    DISCOVERY_NAME_TAKEN = "discovery.name_taken"
    FLEET = "fleet"
    POWER_FAILED = "power.failed"
    RELAY = "relay"
    RELAY_NOT_STARTED = "relay.not_started"
    REQUEST_ABANDONED = "request.abandoned"
    REQUEST_FAILED = "request.failed"
    REQUEST_REFUSED = "request.refused"
    RPC = "rpc"
    SERVING = "serving"
    SERVING_STOPPED = "serving.stopped"
    SETTINGS_NOT_CHANGED = "settings.not_changed"
    SETTINGS_REFUSED = "settings.refused"
    CARD_CONFIG_REFUSED = "card_config.refused"
    STATUS_FAILED = "status.failed"
    TLS_SERVING = "tls.serving"
    TLS_UNAVAILABLE = "tls.unavailable"
    WATCHDOG_NOT_FED = "watchdog.not_fed"
