"""Why an update is not installed, in a word and in a sentence, and how what RAUC says is understood."""

from enum import Enum

import msgspec


class _Row(msgspec.Struct, frozen=True):
    word: str
    sentence: str


class Refusal(Enum):
    """Every reason. {version} is that of the update, {current} that of the hub, {detail} what RAUC said."""

    ONE_SYSTEM = _Row(
        "one_system",
        "This hub's SD card holds one system, so it cannot be updated in place. Put in a newly flashed card once: with"
        " the copy on a USB stick or with a backup, nothing is lost.",
    )
    NOT_AN_UPDATE = _Row(
        "not_an_update", "This file is not an update, or only part of one. Copy it again from where it was published."
    )
    DAMAGED = _Row(
        "damaged", "This update was damaged or changed after it was signed. Copy it again from where it was published."
    )
    STRANGER = _Row("stranger", "This update is not signed by the organisation that made this hub's card.")
    OTHER_DEVICE = _Row("other_device", "This update is for another kind of device.")
    NOT_NEWER = _Row("not_newer", "This update has version {version}; this hub has {current}, which is not older.")
    ON_TRIAL = _Row("on_trial", "The last update is still being tested. Try again in ten minutes.")
    STARTING = _Row("starting", "The hub started less than five minutes ago. Try again in a few minutes.")
    SYNCING = _Row("syncing", "A phone is syncing. Try again when it has finished.")
    RELAYING = _Row("relaying", "The hub is exchanging records with the cloud. Try again when it has finished.")
    FAILED = _Row("failed", "The update could not be installed; the hub stays as it is. Details: {detail}")

    @property
    def word(self) -> str:
        """Its name for scripts."""
        return self.value.word

    @property
    def sentence(self) -> str:
        """The English sentence."""
        return self.value.sentence


_HEARD = (
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
)
"""What RAUC 1.8 to 1.15 says, in small letters; the first that fits. What fits none is told as it was said."""


def heard(said: str) -> Refusal:
    """Return why RAUC did not take a bundle, of what it printed."""
    low = said.lower()
    return next((refusal for part, refusal in _HEARD if part in low), Refusal.FAILED)
