"""Seeds a small organisation for the demo: two clinics, people, forms, drugs, and one hub."""

from hub.demo.cloud.seed import Hub, Seed
from hub.demo.cloud.store import Store

PASSWORD = "hikma-demo"  # noqa: S105  the same for all people of an organisation that does not exist

_PEOPLE = (("Amal Admin", "admin@demo.test", "admin"), ("Pia Provider", "nurse@demo.test", "provider"))
_COMPLAINT = {"id": "complaint", "name": "Complaint", "_tag": "text", "fieldType": "free-text", "inputType": "text"}
_ALLOWED = {
    "can_register_patients": True,
    "can_view_history": True,
    "can_edit_records": True,
    "can_prescribe_medications": True,
    "can_dispense_medications": True,
}


def seed_example(store: Store) -> Hub:
    """Add the organisation unless it is there, and register a hub for its first clinic."""
    seed = Seed(store)
    clinics = [str(row["id"]) for row in seed.rows("clinics")] or _organisation(seed)
    return seed.hub(f"Demo hub {len(seed.rows('devices')) + 1}", clinics[0])


def _organisation(seed: Seed) -> list[str]:
    here, elsewhere = seed.clinic("Al Noor Field Clinic"), seed.clinic("Green Valley Clinic")
    users = [seed.user(name, email, PASSWORD, clinic=here, role=role) for name, email, role in _PEOPLE]
    seed.user("Omar Other", "other@demo.test", PASSWORD, clinic=elsewhere)
    for user in users:
        seed.permissions(user, here, **_ALLOWED)
    seed.event_form("General visit", fields=[_COMPLAINT])
    seed.registration_form("Registration", here, [_field("given_name", "First name"), _field("surname", "Surname")])
    seed.stock(here, seed.drug("Amoxicillin"), 200)
    seed.add("app_config", namespace="system", key="operation_mode", value="online")
    for clinic in (here, elsewhere):
        seed.bulk(12, 2, clinic=clinic, provider=users[-1], form_data_bytes=40)
    return [here, elsewhere]


def _field(column: str, label: str) -> dict[str, object]:
    return {"id": column, "column": column, "label": {"en": label}, "fieldType": "text", "baseField": True}
