import pytest

from hub.core.errors import UpdateRefused
from hub.core.update import refusal
from hub.core.update.refusal import Refusal
from hub.words import LANGUAGES, updates, words

SAID = {
    "signature verification failed: Verify error: self-signed certificate": Refusal.STRANGER,
    "signature verification failed: Verify error: unable to get local issuer certificate": Refusal.STRANGER,
    "signature verification failed: Verify error: certificate has expired": Refusal.FAILED,
    "signature verification failed: error:1700009E:CMS routines::verification failure": Refusal.DAMAGED,
    "Invalid bundle format: Signature size (5364167342317025162) exceeds bundle size": Refusal.NOT_AN_UPDATE,
    "LastError: Compatible mismatch: Expected 'a' but bundle manifest has 'b'": Refusal.OTHER_DEVICE,
    "Failed to create transfer: No space left on device": Refusal.NO_ROOM,
    "LastError: Size of image (1879048192) does not fit to slot size 1073741824": Refusal.NO_ROOM,
    "LastError: Failed to download bundle https://a/b: Transfer failed: Connection refused": Refusal.NO_LINE,
    "LastError: Already processing a different method": Refusal.BUSY,
    "Error splicing data: Input/output error": Refusal.PULLED,
    "No such file: /media/hikma-hub/update.raucb": Refusal.NOT_THERE,
    "": Refusal.FAILED,
}


@pytest.mark.parametrize("said", SAID)
def test_what_rauc_says_is_understood(said: str) -> None:
    assert refusal.heard(said) is SAID[said]


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("why", Refusal)
def test_a_refusal_is_said_in_every_language_with_what_it_is_about(code: str, why: Refusal) -> None:
    values = {name: f"<{name}>" for name in ("version", "current", "detail") if f"{{{name}}}" in why.sentence}
    said = updates.refused(words(code), UpdateRefused(why, **values))
    assert all(value in said for value in values.values())
    assert (said == str(UpdateRefused(why, **values))) == (code == "en")


def test_what_a_newer_rauc_adds_of_files_that_it_did_not_find_hides_no_reason() -> None:
    missing = "rauc-WARNING: Failed to open /data/rauc.status: No such file or directory\n"
    assert (
        refusal.heard(missing + "signature verification failed: Verify error: unable to get issuer") is Refusal.STRANGER
    )
