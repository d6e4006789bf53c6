"""Carries out one report: asks the time, gives each sample its own, and sends what the server lacks, oldest first."""

import random

import msgspec

from hub.actions.box import telling
from hub.core.fleet import reporting
from hub.core.fleet.reporting import ReportOutcome, Told
from hub.services.fleet import exposition
from hub.services.fleet.client import Client, FleetServer, Reply
from hub.store.database import Store

_random = random.SystemRandom()
_GREETING = exposition.compressed(b"")
"""Stores nothing: it shows whether the token counts, and its answer carries the time."""


def report(store: Store, server: FleetServer, day_bytes: int) -> Told:
    """Send what may be sent today; returns, and keeps, how that ended. Raises OperatorError for wrong settings."""
    with Client(server) as client:
        told, reply = _greet(store, client)
        while reply.outcome is ReportOutcome.SENT:
            told, next_reply = _next(store, client, told, day_bytes)
            if next_reply is None:
                break
            reply = next_reply
    ended = reporting.ended(
        told,
        reply.outcome,
        now_ms=telling.standing(store).now_ms,
        draw=_random.random(),
        retry_after_s=reply.retry_after_s,
        detail=reply.detail,
    )
    telling.keep(store, ended)
    return ended


def try_out(server: FleetServer) -> Reply:
    """Ask a server whether it takes this token."""
    with Client(server) as client:
        return client.post(_GREETING)


def _greet(store: Store, client: Client) -> tuple[Told, Reply]:
    """Ask for the time; without it nothing can be sent."""
    reply = client.post(_GREETING)
    told = _counted(telling.begin(store, reply.server_ms), reply)
    if reply.outcome is not ReportOutcome.SENT:
        return told, reply
    if reply.server_ms is None:
        return told, msgspec.structs.replace(reply, outcome=ReportOutcome.FAILING, detail="it does not say the time")
    telling.place(store, reply.server_ms)
    return told, reply


def _next(store: Store, client: Client, told: Told, day_bytes: int) -> tuple[Told, Reply | None]:
    """Send some samples; returns no reply when nothing is left."""
    before, samples = telling.untold(store, told)
    if not samples or samples[-1].time_ms is None:  # one that was taken meanwhile goes next time
        return told, None
    body = exposition.body(before, samples)
    if told.day_bytes + len(body) > day_bytes:
        return told, Reply(ReportOutcome.OVER_DAY, retry_after_s=3600)
    if not telling.may_go_on(store):
        return told, Reply(ReportOutcome.PAUSED)
    reply = client.post(body)
    told = _counted(told, reply)
    if reply.outcome is ReportOutcome.SENT:
        told = msgspec.structs.replace(told, num=samples[-1].num)
    telling.keep(store, told)
    return told, reply


def _counted(told: Told, reply: Reply) -> Told:
    return msgspec.structs.replace(told, day_bytes=told.day_bytes + reply.sent_bytes)
