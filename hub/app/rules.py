"""Maps the settings to the options of each part of the hub."""

from hub.core.people.attempts import Attempts
from hub.services.relay.cycle import Limits
from hub.services.relay.runner import RelayRules
from hub.services.rpc.dispatch import PhoneBounds
from hub.services.rpc.procedures.registry import Policy
from hub.settings import Settings


def bounds(settings: Settings) -> PhoneBounds:
    """Return the bounds on what phones may take."""
    limits = settings.limits
    return PhoneBounds(
        hub_name=settings.hub.name,
        always_open=settings.pairing.mode == "open",
        sessions=limits.sessions,
        sessions_per_device=limits.sessions_per_device,
        handshakes_per_minute=limits.handshakes_per_minute,
    )


def attempts(settings: Settings) -> Attempts:
    """Return how guessing at passwords is slowed, on phones and on the pages."""
    login = settings.login
    return Attempts(login.attempts, login.wait_s, login.wait_max_s)


def policy(settings: Settings) -> Policy:
    """Return the rules of the procedures."""
    return Policy(
        page_bytes=settings.sync.page_bytes,
        token_days=settings.login.token_days,
        token_days_max=settings.login.token_days_max,
        attempts=attempts(settings),
        phones_max=settings.limits.devices,
        needs_copy=settings.copy.required,
    )


def relay_rules(settings: Settings) -> RelayRules:
    """Return what the settings say of the relay."""
    relay = settings.relay
    return RelayRules(
        usual_s=relay.minutes * 60,
        requests_per_minute=relay.requests_per_minute,
        hours_from=relay.hours_from,
        hours_to=relay.hours_to,
        month_bytes=relay.month_mb * 1_000_000,
        limits=Limits(
            batch_records=relay.batch_records,
            batch_bytes=relay.batch_bytes,
        ),
    )
