"""People: who can sign in on phones, who looks after the hub, and the clinics that were made here."""

from typing import Any

from hub.core.errors import OperatorError
from hub.store.database import Transaction
from hub.store.people import administrators
from hub.store.people import users as people
from hub.store.people.page_sessions import Kind
from hub.web.answers import Answer, Go
from hub.web.desk import Desk, Form
from hub.web.pages.setup import administrator_wrong
from hub.web.visitor import Visitor

ROLES = {
    "provider": "Provider",
    "registrar": "Registrar",
    "admin": "Clinic administrator",
}
_CHARS_MAX = 200


def handlers(here: Desk) -> list[Any]:
    """Return the routes."""
    return _People(here).routes()


class _People:
    """The lists and the forms beside them."""

    def __init__(self, here: Desk) -> None:
        self._here = here

    def routes(self) -> list[Any]:
        """Return them."""
        return [
            self._here.page("/people", self._show),
            self._here.action("/people/add", self._add_user),
            self._here.action("/people/disable", self._disable),
            self._here.action("/people/password", self._password),
            self._here.action("/people/clinic", self._add_clinic),
            self._here.action("/people/administrator", self._add_administrator),
            self._here.action("/people/remove-administrator", self._remove_administrator),
        ]

    def _show(self, who: Visitor, _query: Form) -> Answer:
        return self._page(who, {})

    def _page(self, who: Visitor, given: Form, *, wrong: str = "", english: bool = False, where: str = "") -> Answer:
        with self._here.store.read() as db:
            clinics = list(people.clinics(db))
            names = {clinic["id"]: clinic["name"] for clinic in clinics}
            users = [(user, names.get(user.clinic_id or "", "")) for user in people.every(db)]
            hosts = [host["name"] for host in administrators.every(db)]
        return self._here.render(
            "people.html",
            who,
            status=400 if wrong else 200,
            users=users,
            clinics=clinics,
            administrators=hosts,
            own=who.account.id if who.account and who.account.kind is Kind.ADMINISTRATOR else "",
            roles=ROLES,
            given=given,
            wrong=wrong,
            wrong_is_english=english,
            where=where,
            user_chars=people.PASSWORD_CHARS_MIN,
            administrator_chars=administrators.PASSWORD_CHARS_MIN,
        )

    def _attempt(self, who: Visitor, form: Form, where: str, act: Any, done: str) -> Answer:  # noqa: ANN401  act(tx)
        """Try it; what the store refuses is shown beside the form."""
        try:
            with self._here.store.write() as tx:
                act(tx)
        except OperatorError as error:
            return self._page(who, form, wrong=str(error), english=True, where=where)
        return Go("/people", done)

    def _add_user(self, who: Visitor, form: Form) -> Answer:
        given = {key: form.get(key, "").strip()[:_CHARS_MAX] for key in ("name", "email", "role", "clinic")}
        password = form.get("password", "")
        wrong = _user_wrong(who, given, password)
        with self._here.store.read() as db:
            taken = people.find_by_email(db, given["email"]) is not None
        if taken and not wrong:
            wrong = who.words.say("There is a person with this email already.")
        if wrong:
            return self._page(who, given, wrong=wrong, where="user")

        def act(tx: Transaction) -> None:
            people.add(
                tx,
                email=given["email"],
                name=given["name"],
                role=given["role"],
                clinic_id=given["clinic"],
                password=password,
            )

        return self._attempt(who, given, "user", act, "user_added")

    def _disable(self, _who: Visitor, form: Form) -> Answer:
        with self._here.store.write() as tx:
            user = people.find(tx.db, form.get("user", ""))
            if user and not user.is_deleted:
                people.disable(tx, user)
                return Go("/people", "user_disabled")
        return Go("/people", "gone")

    def _password(self, who: Visitor, form: Form) -> Answer:
        with self._here.store.read() as db:
            user = people.find(db, form.get("user", ""))
        if user is None or user.source != "hub":
            return Go("/people", "gone")
        return self._attempt(
            who, {}, "users", lambda tx: people.set_password(tx, user, form.get("password", "")), "password"
        )

    def _add_clinic(self, who: Visitor, form: Form) -> Answer:
        name = " ".join(form.get("name", "").split())[:_CHARS_MAX]
        return self._attempt(who, {}, "clinic", lambda tx: people.add_clinic(tx, name), "clinic_added")

    def _add_administrator(self, who: Visitor, form: Form) -> Answer:
        name, secret = form.get("name", "").strip(), form.get("password", "")
        wrong = administrator_wrong(who, name, secret, form.get("again", ""))
        if wrong:
            return self._page(who, {}, wrong=wrong, where="administrator")
        return self._attempt(
            who, {}, "administrator", lambda tx: administrators.add(tx, name, secret), "administrator_added"
        )

    def _remove_administrator(self, who: Visitor, form: Form) -> Answer:
        name = form.get("name", "")
        return self._attempt(
            who, {}, "administrator", lambda tx: administrators.remove(tx, name), "administrator_removed"
        )


def _user_wrong(who: Visitor, given: Form, password: str) -> str:
    say = who.words.say
    if not given["name"] or "@" not in given["email"] or not given["clinic"] or given["role"] not in ROLES:
        return say("A person needs a name, an email, a role and a clinic.")
    if len(password) < people.PASSWORD_CHARS_MIN:
        return say("A password has at least {least} characters.", least=who.words.number(people.PASSWORD_CHARS_MIN))
    return ""
