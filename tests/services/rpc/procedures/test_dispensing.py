"""Dispensing: stock, record and prescription item change together or not at all."""

from threading import Thread

from tests.hubs import Answer
from tests.services.rpc.procedures.ward import DAY_MS, Ward, ok


def dispense(ward: Ward, quantity: int, **more: object) -> Answer:
    asked = {"patient_id": ward.patient, "drug_id": ward.drug, "quantity_dispensed": quantity, **more}
    return ward.client.command("dispensing.create", asked)


def left(ward: Ward) -> dict[str, int]:
    return {batch["batch_id"]: batch["quantity_available"] for batch in ward.every("clinic_inventory")}


def test_it_takes_from_stock_and_is_recorded(ward: Ward) -> None:
    ward.stock(10)
    record = ward.stored("dispensing_records", ok(dispense(ward, 3))["id"])
    assert left(ward) == {"batch-1": 7}
    assert record is not None
    assert (record["quantity_dispensed"], record["batch_id"]) == (3, "batch-1")
    assert (record["dispensed_by"], record["clinic_id"]) == (ward.hub.user.id, ward.hub.clinic_id)
    assert record["metadata"] == "{}"


def test_what_expires_first_goes_first_and_what_has_expired_never(ward: Ward) -> None:
    soon = 3_000_000_000_000
    ward.stock(5, batch="late", expires=soon + DAY_MS)
    ward.stock(5, batch="soon", expires=soon)
    ward.stock(50, batch="gone", expires=1_000_000_000_000)
    ward.stock(50, batch="undated", expires=0)
    ok(dispense(ward, 8))
    assert left(ward) == {"late": 2, "soon": 0, "gone": 50, "undated": 50}
    assert {(each["batch_id"], each["quantity_dispensed"]) for each in ward.every("dispensing_records")} == {
        ("soon", 5),
        ("late", 3),
    }


def test_too_little_is_refused_with_what_there_is_and_changes_nothing(ward: Ward) -> None:
    ward.stock(2)
    item = ward.item()
    answer = dispense(ward, 3, prescription_item_id=item)
    assert (answer.status, answer.json["error"]) == (409, "only 2 available")
    assert left(ward) == {"batch-1": 2}
    assert ward.every("dispensing_records") == []
    stored = ward.stored("prescription_items", item)
    assert stored is not None
    assert stored["quantity_dispensed"] == 0


def test_a_batch_that_is_named_is_the_one(ward: Ward) -> None:
    ward.stock(5, batch="a")
    ward.stock(5, batch="b")
    ok(dispense(ward, 4, batch_id="b"))
    assert left(ward) == {"a": 5, "b": 1}
    assert dispense(ward, 4, batch_id="b").status == 409


def test_it_counts_on_the_prescription_item_until_all_of_it_is_dispensed(ward: Ward) -> None:
    ward.stock(100)
    item = ward.item(10)
    ok(dispense(ward, 4, prescription_item_id=item))
    stored = ward.stored("prescription_items", item)
    assert stored is not None
    assert (stored["quantity_dispensed"], stored["item_status"]) == (4, "")
    ok(dispense(ward, 6, prescription_item_id=item))
    stored = ward.stored("prescription_items", item)
    assert stored is not None
    assert (stored["quantity_dispensed"], stored["item_status"]) == (10, "completed")


def test_the_same_dispensing_sent_again_changes_nothing(ward: Ward) -> None:
    ward.stock(10)
    assert ok(dispense(ward, 3, id="once")) == ok(dispense(ward, 3, id="once")) == {"id": "once"}
    assert left(ward) == {"batch-1": 7}


def test_an_item_of_another_patient_or_drug_is_refused(ward: Ward) -> None:
    ward.stock(10)
    other = ward.put("patients", given_name="B", primary_clinic_id=ward.hub.clinic_id)
    answer = dispense(ward, 1, patient_id=other, prescription_item_id=ward.item())
    assert answer.status == 400
    assert "prescription_item_id" in answer.json["error"]


def test_a_drug_that_nobody_knows_is_404(ward: Ward) -> None:
    assert dispense(ward, 1, drug_id="unknown").status == 404


def test_items_are_dispensed_from_the_batches_that_are_named(ward: Ward) -> None:
    ward.stock(5, batch="a")
    ward.stock(5, batch="b")
    asked = {"id": ward.item(9), "provider_id": "user-9", "batch_quantities": {"a": 2, "b": 4}}
    assert ok(ward.client.command("prescription_items.dispense", asked)) == {"ok": True, "total_dispensed": 6}
    assert left(ward) == {"a": 3, "b": 1}
    assert {each["dispensed_by"] for each in ward.every("dispensing_records")} == {"user-9"}
    one_too_many = {**asked, "batch_quantities": {"a": 3, "b": 2}}
    assert ward.client.command("prescription_items.dispense", one_too_many).status == 409
    assert left(ward) == {"a": 3, "b": 1}


def test_without_quantities_all_that_is_left_of_an_item_is_dispensed(ward: Ward) -> None:
    ward.stock(50)
    item = ward.item(12)
    assert ok(ward.client.command("prescription_items.dispense", {"id": item}))["total_dispensed"] == 12
    assert ward.client.command("prescription_items.dispense", {"id": item}).status == 400


def test_two_at_once_never_take_the_same_box(ward: Ward) -> None:
    ward.stock(10)
    clients = [ward.hub.client(f"pharmacy-{number}") for number in range(4)]
    asked = {"patient_id": ward.patient, "drug_id": ward.drug, "quantity_dispensed": 3}
    answers: list[int] = []
    threads = [
        Thread(target=lambda client=client: answers.append(client.command("dispensing.create", asked).status))
        for client in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [200, 200, 200, 409]
    assert left(ward) == {"batch-1": 1}


def test_the_cloud_gets_the_record_but_never_the_stock(ward: Ward) -> None:
    ward.stock(10)
    ok(dispense(ward, 3, prescription_item_id=ward.item()))
    assert ward.waiting() == {"dispensing_records", "prescription_items"}


def test_phones_get_record_and_stock(ward: Ward) -> None:
    ward.stock(10)
    made = ok(dispense(ward, 3))
    phone = ward.phone()
    assert phone.sync().ok
    batch = phone.store.find("clinic_inventory", "stock-batch-1")
    assert batch is not None
    assert batch["quantity_available"] == 7
    assert phone.store.find("dispensing_records", made["id"]) is not None


def test_availability_counts_what_has_not_expired(ward: Ward) -> None:
    ward.stock(5, batch="a")
    ward.stock(50, batch="gone", expires=1)
    asked = {"drug_id": ward.drug, "clinic_id": ward.hub.clinic_id, "required_quantity": 5}
    assert ok(ward.client.query("inventory.check_availability", asked)) == {"available": True, "total_available": 5}
    more = {**asked, "required_quantity": 6}
    assert ok(ward.client.query("inventory.check_availability", more)) == {"available": False, "total_available": 5}
