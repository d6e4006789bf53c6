"""What a form has done: the address carries a word, the page shows its sentence, so that nobody can inject text."""

from typing import Final

NOTES: Final = {
    "signed_out": "You are signed out.",
    "revoked": "The phone is blocked.",
    "forgotten": "The phone is forgotten. What it sent stays.",
    "strangers_forgotten": "The phones on which nobody signed in are forgotten.",
    "opened": "Phones can be added now.",
    "closed": "Adding phones is off.",
    "taken": "Record accepted.",
    "refused": "Still not accepted: see the reason in its row.",
    "all_taken": "All records were accepted.",
    "some_refused": "Some records are still not accepted.",
    "gone": "Somebody else already dealt with it.",
    "locating": "The hub's lights are flashing for one minute.",
    "restarting": "The hub is restarting. This takes about two minutes.",
    "shutting_down": "The hub is switching off. Unplug it when all its lights are out.",
    "user_added": "The person can now sign in on any phone that has been added.",
    "user_disabled": "The person is blocked.",
    "clinic_added": "Clinic added.",
    "password": "Password changed.",
    "administrator_added": "The administrator can now sign in.",
    "administrator_removed": "Administrator removed.",
    "saved": "Settings saved.",
    "same": "No changes to save.",
    "renamed": "Name changed.",
    "connected": "The cloud is connected.",
    "disconnected": "The cloud is disconnected.",
    "enrolled": "Your organisation will see how this hub is doing.",
    "left_fleet": "Your organisation no longer sees how this hub is doing.",
    "syncing": "Syncing with the cloud …",
}
