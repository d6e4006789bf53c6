"""People: who can sign in on phones, who looks after the hub, and the clinics that were made here."""

from collections.abc import Callable
from typing import Any

from hub.actions.people import administrators, clinics, users
from hub.actions.people.page_sign_in import AccountKind
from hub.core.errors import AlreadyExists, NotThere, OperatorError
from hub.store.database import Store
from hub.web.answers import Answer, Go
from hub.web.frame import Form, Pages
from hub.web.pages.accounts import (
    CHARS_MAX,
    ROLES,
    administrator_wrong,
    password_wrong,
    refused,
    taken,
    user_wrong,
)
from hub.web.visitor import Visitor


def handlers(here: Pages, store: Store) -> list[Any]:
    """Return the routes."""
    return _People(here, store).routes()


class _People:
    """The lists and the forms beside them."""

    def __init__(self, here: Pages, store: Store) -> None:
        self._here = here
        self._store = store

    def routes(self) -> list[Any]:
        """Return them."""
        return [
            self._here.page("/people", self._show),
            self._here.action("/people/add", self._add_user),
            self._here.action("/people/edit", self._edit),
            self._here.action("/people/disable", self._disable),
            self._here.action("/people/password", self._password),
            self._here.action("/people/own-password", self._own_password, checks_password=True),
            self._here.action("/people/clinic", self._add_clinic),
            self._here.action("/people/rename-clinic", self._rename_clinic),
            self._here.action("/people/administrator", self._add_administrator),
            self._here.action("/people/remove-administrator", self._remove_administrator),
        ]

    def _show(self, who: Visitor, _query: Form) -> Answer:
        return self._page(who, {})

    def _page(self, who: Visitor, given: Form, *, wrong: str = "", where: str = "") -> Answer:
        here = clinics.every(self._store)
        names = {clinic["id"]: clinic["name"] for clinic in here}
        return self._here.render(
            "people.html",
            who,
            status=400 if wrong else 200,
            users=[(user, names.get(user.clinic_id or "", "")) for user in users.every(self._store)],
            clinics=here,
            made_here=clinics.made_here(self._store),
            administrators=[one.name for one in administrators.every(self._store)],
            own=own_name(who),
            roles=ROLES,
            given=given,
            wrong=wrong,
            where=where,
            user_chars=users.PASSWORD_CHARS_MIN,
            administrator_chars=administrators.PASSWORD_CHARS_MIN,
        )

    def _attempt(self, who: Visitor, form: Form, where: str, act: Callable[[], object], done: str) -> Answer:
        """Try it; what is refused is shown beside the form."""
        try:
            act()
        except NotThere:
            return Go("/people", "gone")
        except AlreadyExists:
            wrong = taken(who, where)
            return self._page(who, form, wrong=wrong, where=where)
        except OperatorError:
            return self._page(who, form, wrong=refused(who, where), where=where)
        return Go("/people", done)

    def _add_user(self, who: Visitor, form: Form) -> Answer:
        given = {key: form.get(key, "").strip()[:CHARS_MAX] for key in ("name", "email", "role", "clinic")}
        password = form.get("password", "")
        wrong = user_wrong(who, given) or password_wrong(who, password)
        if wrong:
            return self._page(who, given, wrong=wrong, where="user")

        def add() -> None:
            users.add(
                self._store,
                email=given["email"],
                name=given["name"],
                role=given["role"],
                clinic_id=given["clinic"],
                password=password,
            )

        return self._attempt(who, given, "user", add, "user_added")

    def _edit(self, who: Visitor, form: Form) -> Answer:
        given = {key: form.get(key, "").strip()[:CHARS_MAX] for key in ("user", "name", "role", "clinic")}
        wrong = user_wrong(who, {"email": "@", **given})
        if wrong:
            return self._page(who, {}, wrong=wrong, where="users")

        def edit() -> None:
            users.edit(self._store, given["user"], name=given["name"], role=given["role"], clinic_id=given["clinic"])

        return self._attempt(who, {}, "users", edit, "user_edited")

    def _disable(self, who: Visitor, form: Form) -> Answer:
        user = form.get("user", "")
        return self._attempt(who, {}, "users", lambda: users.disable(self._store, user), "user_disabled")

    def _password(self, who: Visitor, form: Form) -> Answer:
        user, password = form.get("user", ""), form.get("password", "")
        wrong = password_wrong(who, password)
        if wrong:
            return self._page(who, {}, wrong=wrong, where="users")
        return self._attempt(who, {}, "users", lambda: users.change_password(self._store, user, password), "password")

    def _own_password(self, who: Visitor, form: Form) -> Answer:
        name, password = own_name(who), form.get("password", "")
        wrong = administrator_wrong(who, name, password, form.get("again", ""))
        if wrong:
            return self._page(who, {}, wrong=wrong, where="own")
        token = administrators.change_own_password(self._store, name, form.get("given", ""), password)
        if token is None:
            return self._page(who, {}, wrong=who.words.say("This is not your current password."), where="own")
        return Go("/people", "password", token=token)

    def _add_clinic(self, who: Visitor, form: Form) -> Answer:
        name = _named(form)
        if not name:
            return self._page(who, {}, wrong=who.words.say("Enter a name for the clinic."), where="clinic")
        return self._attempt(who, {}, "clinic", lambda: clinics.add(self._store, name), "clinic_added")

    def _rename_clinic(self, who: Visitor, form: Form) -> Answer:
        clinic, name = form.get("clinic", ""), _named(form)
        if not name:
            return self._page(who, {}, wrong=who.words.say("Enter a name for the clinic."), where="clinic")
        return self._attempt(who, {}, "clinic", lambda: clinics.rename(self._store, clinic, name), "renamed")

    def _add_administrator(self, who: Visitor, form: Form) -> Answer:
        name, secret = form.get("name", "").strip(), form.get("password", "")
        wrong = administrator_wrong(who, name, secret, form.get("again", ""))
        if wrong:
            return self._page(who, {}, wrong=wrong, where="administrator")
        store = self._store
        return self._attempt(
            who, {}, "administrator", lambda: administrators.add(store, name, secret), "administrator_added"
        )

    def _remove_administrator(self, who: Visitor, form: Form) -> Answer:
        name, store = form.get("name", ""), self._store
        return self._attempt(
            who, {}, "administrator", lambda: administrators.remove(store, name), "administrator_removed"
        )


def own_name(who: Visitor) -> str:
    """Return the name of the administrator who visits; "" for a user of the phones."""
    return who.account.id if who.account and who.account.kind is AccountKind.ADMINISTRATOR else ""


def _named(form: Form) -> str:
    return " ".join(form.get("name", "").split())[:CHARS_MAX]
