"""hikma-hub clinic and user, beside a hub that serves."""

import pytest

from tests.cli.conftest import Done, Run
from tests.hubs import PASSWORD, ServedHub


def add(run: Run, served: ServedHub, email: str, *more: str, stdin: str | bytes = f"{PASSWORD}\n") -> Done:
    clinic_id = run("clinic", "list", "--json", data=served.data).json[0]["id"]
    words = ("--email", email, "--name", "Sr. Núñez", "--role", "provider", "--clinic", clinic_id, "--password-stdin")
    return run("user", "add", *words, *more, data=served.data, stdin=stdin)


def test_a_clinic_is_made_and_listed(served: ServedHub, run: Run) -> None:
    made = run("clinic", "add", "--name", "عيادة الأمل", "--json", data=served.data).json
    assert made.keys() == {"id", "name"}
    assert made in run("clinic", "list", "--json", data=served.data).json
    assert made["id"] in run("clinic", "list", data=served.data).out


def test_a_clinic_of_the_same_name_is_refused_in_words(served: ServedHub, run: Run) -> None:
    run("clinic", "add", "--name", "Twice", data=served.data)
    done = run("clinic", "add", "--name", "Twice", data=served.data)
    assert (done.status, done.err) == (1, "hikma-hub: there is already a clinic called Twice\n")


def test_a_user_is_made_and_signs_in_while_the_hub_runs(served: ServedHub, run: Run) -> None:
    made = add(run, served, "new@x.example", "--json").json
    assert made.keys() == {"id", "email", "name", "role", "clinic_id", "source", "disabled"}
    assert (made["name"], made["source"], made["disabled"]) == ("Sr. Núñez", "hub", False)
    assert made in run("user", "list", "--json", data=served.data).json
    assert served.client("new-phone", email="new@x.example").pull().status == 200


def test_a_password_is_shown_nowhere(served: ServedHub, run: Run) -> None:
    done = add(run, served, "shown@x.example")
    listed = run("user", "list", "--json", data=served.data)
    assert PASSWORD not in done.out + done.err + listed.out
    assert "$2b$" not in done.out + listed.out


@pytest.mark.parametrize(
    ("more", "stdin", "says"),
    [
        ([], "short\n", "a password needs at least 6 characters"),
        (["--clinic", "nowhere"], f"{PASSWORD}\n", "see 'hikma-hub clinic list'"),
        (["--name", ""], f"{PASSWORD}\n", "a user needs a name and a role"),
    ],
)
def test_a_user_that_cannot_be_is_refused_in_words(
    served: ServedHub, run: Run, more: list[str], stdin: str, says: str
) -> None:
    done = add(run, served, "bad@x.example", *more, stdin=stdin)
    assert (done.status, says in done.err, done.out) == (1, True, "")


def test_a_permission_can_be_left_out(served: ServedHub, run: Run) -> None:
    made = add(run, served, "less@x.example", "--json", "--without", "can_view_history").json
    answer = served.client("less-phone", email="less@x.example").pull().json
    granted = [row for row in answer["changes"]["user_clinic_permissions"]["created"] if row["user_id"] == made["id"]]
    assert (granted[0]["can_view_history"], granted[0]["can_edit_records"]) == (False, True)


def test_s4_a_disabled_user_is_shut_out_at_once(served: ServedHub, run: Run) -> None:
    add(run, served, "gone@x.example")
    client = served.client("gone-phone", email="gone@x.example")
    assert run("user", "disable", "gone@x.example", data=served.data).status == 0
    assert client.pull().status == 401
    assert [
        row["disabled"]
        for row in run("user", "list", "--json", data=served.data).json
        if row["email"] == "gone@x.example"
    ] == [True]


def test_a_new_password_ends_the_sign_ins_with_the_old_one(served: ServedHub, run: Run) -> None:
    add(run, served, "changed@x.example")
    client = served.client("changed-phone", email="changed@x.example")
    assert (
        run("user", "password", "changed@x.example", "--password-stdin", data=served.data, stdin="another one\n").status
        == 0
    )
    assert client.pull().status == 401
    assert client.login("changed@x.example", "another one").status == 200


@pytest.mark.parametrize("words", [("disable",), ("password", "--password-stdin")])
def test_an_unknown_user_is_refused_in_words(served: ServedHub, run: Run, words: tuple[str, ...]) -> None:
    done = run("user", *words, "nobody@x.example", data=served.data, stdin="something\n")
    assert done.status == 1
    assert "there is no user nobody@x.example; see 'hikma-hub user list'" in done.err


@pytest.mark.parametrize("stdin", [b"\xef\xbb\xbfright password\r\n", b"right password", b"right password\nmore\n"])
def test_the_mark_that_windows_puts_before_a_password_is_no_part_of_it(
    served: ServedHub, run: Run, stdin: bytes
) -> None:
    email = f"bom{len(stdin)}@x.example"
    assert add(run, served, f" {email}\u200e", stdin=stdin).status == 0
    assert served.client(f"{email}-phone", email=None).login(f"{email} ", "right password").status == 200


@pytest.mark.parametrize(
    "stdin",
    [
        "right password\n".encode("utf-16"),
        "right password\r\n".encode("utf-16-le"),
        "right password\n".encode("utf-16-be"),
        "كلمة السر الصحيحة\n".encode("utf-16-le"),
        "right password\n".encode("utf-32"),
        "contraseña\n".encode("latin-1"),
    ],
)
@pytest.mark.parametrize(
    "words",
    [
        ("user", "password", "somebody@x.example", "--password-stdin"),
        ("admin", "add", "somebody", "--password-stdin"),
        ("admin", "password", "somebody", "--password-stdin"),
        ("cloud", "connect", "--url", "http://127.0.0.1:9", "--api-key-stdin"),
        ("backup", "--out", "/nowhere/file", "--passphrase-stdin"),
    ],
    ids=" ".join,
)
def test_a_secret_in_utf_16_is_refused_in_words_by_every_command(
    served: ServedHub, run: Run, words: tuple[str, ...], stdin: bytes
) -> None:
    done = run(*words, data=served.data, stdin=stdin)
    assert (done.status, done.out) == (1, "")
    assert "standard input is not text in UTF-8; save the file as UTF-8" in done.err
