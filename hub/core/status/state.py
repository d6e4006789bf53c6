"""The one state of the hub, named from its facts: what the page says, the lights show and scripts read (O2, O3)."""

from collections.abc import Callable
from enum import Enum, StrEnum

import msgspec

from hub.core.status.card import CardShape
from hub.core.status.facts import FREE_BYTES_LOW, HOT_C, Facts, Trouble
from hub.core.status.lights import Light


class Level(StrEnum):
    """How seriously a state is to be taken."""

    SAFE = "safe"
    WAITING = "waiting"
    ATTENTION = "attention"
    ALARM = "alarm"


class Text(msgspec.Struct, frozen=True):
    """An English sentence, which is also the name of its translations.

    {count} is ``of``, a fact; {time} is how long the oldest record has waited. ``many`` is for a count other than one.
    """

    one: str
    many: str = ""
    of: str = ""


class _Row(msgspec.Struct, frozen=True):
    level: Level
    light: Light
    sentence: Text
    remedy: Text
    is_true: Callable[[Facts], object]


_NOTHING = Text("Nothing to do.")
_PATIENCE = Text("Nothing to do. Keep the hub switched on; it sends everything as soon as it can.")
_CALL = Text("Call your technician. You can keep working on the phones: they keep what they have.")


class HubState(Enum):
    """The states, worst first; the first that is true is the state of the hub."""

    NOT_ANSWERING = _Row(
        Level.ALARM,
        Light.FAULT,
        Text("The hub does not answer."),
        Text("Unplug it, wait ten seconds, then plug it back in. If that does not help, call your technician."),
        lambda facts: not facts.answering,
    )
    CARD_GONE = _Row(
        Level.ALARM,
        Light.DAMAGE,
        Text("The hub's data cannot be found on its card."),
        Text(
            "Call your technician, and keep card and USB stick. Phones keep what they have. "
            "The stick, a backup or the cloud brings the data back."
        ),
        lambda facts: facts.card is CardShape.GONE,
    )
    DAMAGED = _Row(
        Level.ALARM,
        Light.DAMAGE,
        Text("The hub's data is damaged."),
        Text("Stop syncing and call your technician. Leave the hub switched on. Phones keep what they have."),
        lambda facts: facts.damage,
    )
    PARTLY = _Row(
        Level.ALARM,
        Light.DAMAGE,
        Text("A part of the hub's data cannot be read. Phones can still read the rest, but not save."),
        Text(
            "Call your technician, and keep card and USB stick. Phones keep what you enter. "
            "The stick, a backup or the cloud brings the rest back."
        ),
        lambda facts: facts.card is CardShape.PARTLY,
    )
    STARTING = _Row(
        Level.WAITING,
        Light.STARTING,
        Text("The hub is starting."),
        Text("Wait a minute."),
        lambda facts: not facts.ready,
    )
    CARD_FAILED = _Row(
        Level.ALARM,
        Light.STORAGE,
        Text("The hub's card is worn out. Phones can still read from it, but not save."),
        Text("Call your technician for a new card. Phones keep what you enter, and send it when the new card is in."),
        lambda facts: facts.card is CardShape.FAILED,
    )
    READ_ONLY = _Row(
        Level.ALARM, Light.STORAGE, Text("The hub cannot save anything."), _CALL, lambda facts: not facts.writable
    )
    REPLACED = _Row(
        Level.ALARM,
        Light.STORAGE,
        Text("Another box has taken the place of this hub."),
        Text("Unplug this one. What it has is on the other one, which the phones go on with."),
        lambda facts: facts.replaced,
    )
    DISK_FULL = _Row(
        Level.ALARM,
        Light.STORAGE,
        Text("The hub's storage is full: phones cannot send their records."),
        Text("They keep what they have. Do not uninstall the app on any phone, and call your technician now."),
        lambda facts: facts.full,
    )
    STOPPED = _Row(
        Level.ATTENTION,
        Light.NOT_SERVING,
        Text("Syncing was stopped on this hub. Phones keep what they have."),
        Text(
            "An administrator lets phones sync again on the page This device. It also ends when the hub is restarted."
        ),
        lambda facts: facts.stopped,
    )
    TURNED_AWAY = _Row(
        Level.ATTENTION,
        Light.STORAGE,
        Text(
            "{count} phone could not send its records, and keeps them.",
            "{count} phones could not send their records, and keep them.",
            "turned_away",
        ),
        Text("Sync again with each. If that does not help, do not uninstall the app, and look at the page Phones."),
        lambda facts: facts.turned_away,
    )
    DISK_LOW = _Row(
        Level.ATTENTION,
        Light.DISK,
        Text("The hub's storage is nearly full."),
        Text("Everything the phones have sent is safe. Call your technician soon."),
        lambda facts: facts.free_bytes < FREE_BYTES_LOW,
    )
    POWER_WEAK = _Row(
        Level.ATTENTION,
        Light.POWER,
        Text("The hub's power supply is too weak."),
        Text("Use the power supply that came with the hub, and plug nothing else into it."),
        lambda facts: facts.power_weak,
    )
    HOT = _Row(
        Level.ATTENTION,
        Light.HEAT,
        Text("The hub is too hot."),
        Text("Move it out of the sun, and let air reach it from all sides."),
        lambda facts: facts.temperature_c is not None and facts.temperature_c >= HOT_C,
    )
    KEY_REFUSED = _Row(
        Level.ATTENTION,
        Light.KEY,
        Text("The cloud no longer accepts this hub."),
        Text(
            "Everything the phones have sent is safe here. "
            "Ask your organisation for a new key and enter it under Cloud."
        ),
        lambda facts: facts.cloud and facts.trouble is Trouble.KEY,
    )
    PAUSED = _Row(
        Level.ATTENTION,
        Light.KEY,
        Text("Your organisation has paused this hub."),
        Text("Everything the phones have sent is safe here. Ask your organisation to let the hub send again."),
        lambda facts: facts.cloud and facts.trouble is Trouble.PAUSED,
    )
    NO_CLINIC = _Row(
        Level.ATTENTION,
        Light.KEY,
        Text("This hub has no clinic in the cloud."),
        Text("Everything the phones have sent is safe here. Ask your organisation to assign a clinic to this hub."),
        lambda facts: facts.cloud and facts.trouble is Trouble.NO_CLINIC,
    )
    QUARANTINE = _Row(
        Level.ATTENTION,
        Light.QUARANTINE,
        Text(
            "{count} record needs checking. It is kept safely apart.",
            "{count} records need checking. They are kept safely apart.",
            "quarantined",
        ),
        Text("Nothing is lost. An administrator can sign in and open the page Records to check."),
        lambda facts: facts.quarantined,
    )
    ON_HOLD = _Row(
        Level.ATTENTION,
        Light.QUARANTINE,
        Text(
            "{count} record is safe here, but cannot go to the cloud as it is.",
            "{count} records are safe here, but cannot go to the cloud as they are.",
            "held",
        ),
        Text("Nothing is lost. An administrator can sign in and read the reasons on the page Cloud."),
        lambda facts: facts.cloud and facts.held,
    )
    ONE_COPY = _Row(
        Level.ATTENTION,
        Light.COPY,
        Text("Everything the phones have sent is safe here, but on one card only."),
        Text("Put the hub's USB stick in, or switch its spare on. If that does not help, call your technician."),
        lambda facts: facts.copies == 1 and not (facts.cloud and not (facts.waiting or facts.unproven or facts.held)),
    )
    CLOCK_WRONG = _Row(
        Level.ATTENTION,
        Light.CLOCK,
        Text("The hub's clock is wrong."),
        Text(
            "Everything the phones have sent is safe. "
            "Connect the hub to the internet for a moment, so that it can set its clock."
        ),
        lambda facts: facts.clock_wrong,
    )
    CLOUD_FAILING = _Row(
        Level.ATTENTION,
        Light.CLOUD,
        Text(
            "{count} record is safe here, but the cloud is not accepting it.",
            "{count} records are safe here, but the cloud is not accepting them.",
            "waiting",
        ),
        Text("The hub keeps trying. If this lasts longer than a day, tell your organisation."),
        lambda facts: facts.cloud and facts.trouble is Trouble.CLOUD and facts.waiting,
    )
    LINE_LOST = _Row(
        Level.WAITING,
        Light.LINE,
        Text(
            "{count} record is safe on this hub and has been waiting {time} for internet.",
            "{count} records are safe on this hub and have been waiting {time} for internet.",
            "waiting",
        ),
        _PATIENCE,
        lambda facts: facts.cloud and facts.trouble is Trouble.LINE and facts.waiting,
    )
    CLOUD_LOST = _Row(
        Level.ATTENTION,
        Light.CLOUD,
        Text(
            "The cloud has lost {count} record. The hub has sent it again.",
            "The cloud has lost {count} records. The hub has sent them again.",
            "lost",
        ),
        Text(
            "Nothing that the phones have sent is lost. "
            "Tell your organisation: the cloud seems to have been restored from an older backup."
        ),
        lambda facts: facts.cloud and facts.lost,
    )
    OFFLINE = _Row(
        Level.SAFE,
        Light.LINE,
        Text("Everything the phones have sent is safe in the cloud. There is no internet at the moment."),
        _NOTHING,
        lambda facts: facts.cloud and facts.trouble is Trouble.LINE and not facts.unproven,
    )
    WAITING = _Row(
        Level.WAITING,
        Light.WAITING,
        Text(
            "{count} record is safe on this hub and will be sent to the cloud.",
            "{count} records are safe on this hub and will be sent to the cloud.",
            "waiting",
        ),
        _PATIENCE,
        lambda facts: facts.cloud and facts.waiting,
    )
    UNPROVEN = _Row(
        Level.WAITING,
        Light.WAITING,
        Text(
            "Everything the phones have sent is safe on this hub. "
            "It was sent to the cloud, and the hub is checking that it arrived."
        ),
        _NOTHING,
        lambda facts: facts.cloud and facts.unproven,
    )
    NO_PHONE = _Row(
        Level.SAFE,
        Light.SAFE,
        Text("The hub is ready. No phone on its list has synced yet."),
        Text("Sign in and choose Add a phone, then scan the QR code in the app."),
        lambda facts: facts.synced_ago_s is None,
    )
    IN_CLOUD = _Row(
        Level.SAFE,
        Light.SAFE,
        Text("Everything the phones have sent is safe in the cloud."),
        _NOTHING,
        lambda facts: facts.cloud,
    )
    ON_STICK = _Row(
        Level.SAFE,
        Light.SAFE,
        Text("Everything the phones have sent is safe, on this hub and in its copy."),
        _NOTHING,
        lambda facts: facts.copies == 2,  # noqa: PLR2004  the hub's own, and the copy's
    )
    SAFE = _Row(
        Level.SAFE,
        Light.SAFE,
        Text("Everything the phones have sent is safe on this hub."),
        _NOTHING,
        lambda _facts: True,
    )

    @property
    def level(self) -> Level:
        """How seriously it is to be taken."""
        return self.value.level

    @property
    def texts(self) -> tuple[Text, Text]:
        """The sentence and the remedy, to be translated."""
        return self.value.sentence, self.value.remedy

    @property
    def is_well(self) -> bool:
        """Whether nobody has to do anything."""
        return self.level in {Level.SAFE, Level.WAITING}


def state(facts: Facts) -> HubState:
    """Return the worst state that is true."""
    return next(found for found in HubState if found.value.is_true(facts))


def light(facts: Facts) -> Light:
    """Return what the lights show: what is wrong before what goes on, what goes on before what is."""
    found = state(facts)
    going_on = {
        Light.PAIRING: facts.pairing_left_s,
        Light.SYNCING: facts.syncing,
        Light.RELAYING: facts.cloud and facts.relaying,
    }
    if facts.answering and facts.locating_left_s:
        return Light.LOCATE
    if not found.is_well or found is HubState.STARTING:
        return found.value.light
    return next((light for light, is_true in going_on.items() if is_true), found.value.light)
