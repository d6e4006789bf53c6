"""What a form has done: the address carries a word, the page shows its sentence, so that nobody can inject text."""

from typing import Final

NOTES: Final = {
    "signed_out": "You are signed out.",
    "revoked": "The phone is shut out.",
    "forgotten": "The phone is forgotten. What it sent stays.",
    "strangers_forgotten": "The phones on which nobody signed in are forgotten.",
    "opened": "New phones may join now.",
    "closed": "No new phone may join now.",
    "taken": "The record was taken in.",
    "refused": "The record still cannot be taken in; its reason is below.",
    "all_taken": "All records were taken in.",
    "some_refused": "Some records still cannot be taken in.",
    "gone": "It was not there any more.",
    "locating": "The lights of the box call you for a minute.",
    "restarting": "The box starts again. This takes about two minutes.",
    "shutting_down": "The box switches itself off. Unplug it when its lights are out.",
    "user_added": "The person can sign in on a paired phone now.",
    "user_disabled": "The person is shut out.",
    "clinic_added": "The clinic is made.",
    "password": "The password is changed.",
    "administrator_added": "The administrator can sign in now.",
    "administrator_removed": "The administrator is removed.",
    "saved": "The settings are saved.",
    "same": "Nothing was different, so nothing was changed.",
    "renamed": "The hub has its new name.",
    "connected": "The cloud is connected.",
    "disconnected": "The cloud is disconnected.",
    "syncing": "Syncing with the cloud …",
}
