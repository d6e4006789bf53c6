"""Why an update is not installed, in a word and in a sentence, and how what RAUC says is understood."""

from hub.core.worded import Worded, Words


class Refusal(Worded):
    """Every reason. {version} is that of the update, {current} that of the hub, {detail} what RAUC said."""

    ONE_SYSTEM = Words(
        "one_system",
        "This hub's SD card holds one system, so it cannot be updated in place. Put in a newly flashed card once: with"
        " the copy on a USB stick or with a backup, nothing is lost.",
    )
    NOT_AN_UPDATE = Words(
        "not_an_update", "This file is not an update, or only part of one. Copy it again from where it was published."
    )
    DAMAGED = Words(
        "damaged", "This update was damaged or changed after it was signed. Copy it again from where it was published."
    )
    STRANGER = Words("stranger", "This update is not signed by the organisation that made this hub's card.")
    OTHER_DEVICE = Words("other_device", "This update is for another kind of device.")
    NOT_NEWER = Words("not_newer", "This update has version {version}; this hub has {current}, which is not older.")
    ON_TRIAL = Words("on_trial", "The last update is still being tested. Try again in ten minutes.")
    STARTING = Words("starting", "The hub started less than five minutes ago. Try again in a few minutes.")
    SYNCING = Words("syncing", "A phone is syncing. Try again when it has finished.")
    RELAYING = Words("relaying", "The hub is exchanging records with the cloud. Try again when it has finished.")
    RETURNING = Words("returning", "There is no other version on this hub's card that it could go back to.")
    BUSY = Words("busy", "Another update is being installed. Wait until it has ended.")
    NOT_THERE = Words("not_there", "No update is there. Put in the stick, or send the file, and look again.")
    PULLED = Words(
        "pulled",
        "The stick was pulled out, or could not be read to its end. The hub stays as it is. Put it in again, install"
        " again, and leave it in until the hub restarts.",
    )
    NO_ROOM = Words(
        "no_room",
        "This update is larger than the room that this hub's SD card has for it. Put in a newly flashed card once: with"
        " the copy on a USB stick or with a backup, nothing is lost.",
    )
    NO_LINE = Words(
        "no_line",
        "The organisation's address did not answer. Try again when the internet connection works, or bring the update"
        " on a USB stick.",
    )
    METERED = Words(
        "metered",
        "The internet connection that the hub uses is paid by volume. Bring the update on a USB stick, or use another"
        " connection.",
    )
    OVER_BUDGET = Words(
        "over_budget",
        "The update is larger than what the hub may still use of its internet connection this month. Bring it on a USB"
        " stick, or raise the limit in the settings.",
    )
    FAILED = Words("failed", "The update could not be installed; the hub stays as it is. Details: {detail}")


_HEARD = (
    ("already processing", Refusal.BUSY),
    ("does not fit to slot", Refusal.NO_ROOM),
    ("no space left", Refusal.NO_ROOM),
    ("input/output error", Refusal.PULLED),
    ("transfer failed", Refusal.NO_LINE),
    ("failed to download", Refusal.NO_LINE),
    ("expired", Refusal.FAILED),
    ("not yet valid", Refusal.FAILED),
    ("verification failed: verify error", Refusal.STRANGER),
    ("signer certificate not found", Refusal.STRANGER),
    ("verification failed", Refusal.DAMAGED),
    ("compatible", Refusal.OTHER_DEVICE),
    ("invalid bundle", Refusal.NOT_AN_UPDATE),
    ("signature size", Refusal.NOT_AN_UPDATE),
    ("failed to parse", Refusal.NOT_AN_UPDATE),
    ("squashfs", Refusal.NOT_AN_UPDATE),
    ("no such file", Refusal.NOT_THERE),
)
"""What RAUC 1.8 to 1.15 says, in small letters; the first that fits. What fits none is told as it was said."""


def heard(said: str) -> Refusal:
    """Return why RAUC did not take a bundle, of what it printed."""
    low = said.lower()
    return next((refusal for part, refusal in _HEARD if part in low), Refusal.FAILED)
