"""What is left of the setup once the hub has its administrator: cloud, clinic and people, first phone, summary.

Whoever leaves it comes back to the step where they were.
"""

from collections.abc import Callable
from typing import Any, Final

import msgspec

from hub.actions.cloud import link
from hub.actions.people import administrators, clinics, setup, users
from hub.actions.phones import pairing as door
from hub.core.errors import AlreadyExists, HubError, OperatorError
from hub.store.database import Store
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.pages import accounts, cloud, pairing
from hub.web.pages.pairing import PairingOptions
from hub.web.visitor import Visitor

STEPS: Final = {
    "code": "Setup code",
    "name": "Name",
    "administrator": "Administrator",
    "cloud": "Cloud",
    "people": "Clinic and people",
    "phone": "First phone",
    "done": "Summary",
}
"""Every step in its order, and what the rail on the page calls it."""
LEFT: Final = ("cloud", "people", "phone", "done")
"""Those that an administrator can come back to."""
_GIVEN = ("clinic-name", "clinic", "name", "email", "role")


class Finishing(msgspec.Struct, frozen=True):
    """The steps after the administrator; ``connect`` verifies a cloud's address and key and keeps both."""

    here: Pages
    store: Store
    connect: Callable[[str, str], object]
    options: Callable[[], PairingOptions]

    def routes(self) -> list[Any]:
        """Return those of its forms."""
        return [
            self.here.action("/setup/go", self._go),
            self.here.action("/setup/cloud", self._connect),
            self.here.action("/setup/people", self._add),
            self.here.action("/setup/phone", self._open),
        ]

    def page(self, who: Visitor, step: str, *, wrong: str = "", given: Form | None = None) -> Answer:
        """Show a step."""
        return self.here.render(
            "setup.html",
            who,
            status=400 if wrong else 200,
            **about(step, behind=LEFT[: LEFT.index(step)]),
            wrong=wrong,
            given=given or {},
            link=link.current(self.store)[0],
            clinics=clinics.every(self.store),
            people=[user for user in users.every(self.store) if not user.is_deleted],
            roles=accounts.ROLES,
            user_chars=users.PASSWORD_CHARS_MIN,
            password_chars=administrators.PASSWORD_CHARS_MIN,
            closes=False,
            **pairing.shown(self.store, self.options()),
        )

    def _go(self, _who: Visitor, form: Form) -> Answer:
        step = form.get("step", "")
        if step not in LEFT:
            setup.go_on(self.store, "")
            return Go("/")
        return self._to(step)

    def _to(self, step: str) -> Answer:
        setup.go_on(self.store, step)
        return Go(f"/setup?step={step}")

    def _connect(self, who: Visitor, form: Form) -> Answer:
        url, key = form.get("url", "").strip(), form.get("key", "").strip()
        if not who.private:
            return Go("/setup")
        try:
            self.connect(url, key)
        except HubError as error:
            return self.page(who, "cloud", wrong=cloud.refusal(who.words, error), given={"url": url})
        return self._to("people")

    def _add(self, who: Visitor, form: Form) -> Answer:
        given = {key: form.get(key, "").strip()[: accounts.CHARS_MAX] for key in _GIVEN}
        password = form.get("password", "")
        place = given["clinic"] or given["clinic-name"]
        wrong = accounts.user_wrong(who, {**given, "clinic": place}) or accounts.password_wrong(who, password)
        if wrong or not who.private:
            return self.page(who, "people", wrong=wrong, given=given)
        try:
            self._make(given, password)
        except AlreadyExists:
            wrong = accounts.taken(who, "user")
        except OperatorError:
            wrong = accounts.refused(who, "user")
        return self.page(who, "people", wrong=wrong, given=given) if wrong else Go("/setup?step=people", "user_added")

    def _make(self, given: Form, password: str) -> None:
        clinic = given["clinic"] or clinics.add(self.store, given["clinic-name"])["id"]
        users.add(
            self.store,
            email=given["email"],
            name=given["name"],
            role=given["role"],
            clinic_id=clinic,
            password=password,
        )

    def _open(self, _who: Visitor, _form: Form) -> Answer:
        door.open_for(self.store, self.options().minutes)
        return self._to("phone")


def about(step: str, *, behind: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return what the rail shows; ``behind`` are the steps that one can go back to."""
    return {"step": step, "number": list(STEPS).index(step), "steps": STEPS, "behind": behind}
