"""The settings of the hub, and the only place that knows them.

They come from a TOML file (hub/hub.toml is the commented template) and from environment variables, which win:
``[pairing] mode`` is HIKMA_HUB_PAIRING_MODE. What is unknown or wrong is refused with its line number, so that a typing
error cannot quietly leave a hub with another setting than was meant.
"""

from hub.settings.changes import Change, change
from hub.settings.reading import Value, allowed, choices, kind, load, names, value, variable
from hub.settings.tree import (
    BoxSettings,
    CopySettings,
    DiscoverySettings,
    FleetSettings,
    HubSettings,
    LightsSettings,
    LimitsSettings,
    LoginSettings,
    LogSettings,
    PairingSettings,
    RelaySettings,
    ServerSettings,
    Settings,
    StoreSettings,
    SyncSettings,
    WebSettings,
)
from hub.settings.writing import amend

__all__ = [
    "BoxSettings",
    "Change",
    "CopySettings",
    "DiscoverySettings",
    "FleetSettings",
    "HubSettings",
    "LightsSettings",
    "LimitsSettings",
    "LogSettings",
    "LoginSettings",
    "PairingSettings",
    "RelaySettings",
    "ServerSettings",
    "Settings",
    "StoreSettings",
    "SyncSettings",
    "Value",
    "WebSettings",
    "allowed",
    "amend",
    "change",
    "choices",
    "kind",
    "load",
    "names",
    "value",
    "variable",
]
