"""The staff of the made-up clinic: the same people in the stand-in cloud and on a hub without one."""

from dataclasses import dataclass

PASSWORD = "hikma-demo"


@dataclass(frozen=True, slots=True)
class Person:
    """Someone who signs in with PASSWORD."""

    name: str
    email: str


STAFF = (
    Person("Dr. Amal Haddad", "amal@demo.test"),
    Person("Nurse Ayesha Rahman", "nurse@demo.test"),
    Person("Dr. Tadesse Bekele", "tadesse@demo.test"),
    Person("Sr. Lucía Núñez", "lucia@demo.test"),
    Person("Inf. Zoé N'Diaye", "zoe@demo.test"),
)
