"""Tests that the day which a nurse saw is the day that everybody gets, in every script and zone."""

import json
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.core.cloud import forms as cloud_forms
from hub.core.errors import BadRecord
from hub.core.records import codec, column_types, dates, online
from hub.core.records.dates import Calendar
from hub.core.records.tables import TABLES
from tests.draws import drawn

PATIENTS, PROBLEMS, STOCK = (TABLES[name] for name in ("patients", "patient_problems", "clinic_inventory"))
DAYS = st.dates(date(1, 1, 3), date(9999, 12, 29))
ZONES = st.sampled_from(
    [
        *(timezone(timedelta(minutes=minutes)) for minutes in range(-12 * 60, 14 * 60 + 1, 15)),
        *map(
            ZoneInfo,
            (
                *("America/New_York", "Asia/Damascus", "America/Havana", "Pacific/Apia", "Asia/Kathmandu"),
                *("America/Sao_Paulo", "Australia/Lord_Howe", "Pacific/Kiritimati", "Etc/UTC", "Africa/Monrovia"),
            ),
        ),
    ]
)
HOURS = st.times() | st.sampled_from([time(), time(12), time(18), time(20), time(23, 59, 59), time(22)])

SCRIPTS = ("0123456789", "٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९", "０１２３４５６７８９")
MARKS = ("", "\u200f", "\u200e", "\u061c", "\ufeff", " ", "\u202b", "\u00a0")
BETWEEN = ("-", "/", ".", " / ", "\u2010", "\u2013", "\u2212", "\u060d", "\uff0f", " ", "\u200f/\u200f")


def picked_ms(day: date, hour: time, zone: tzinfo) -> float:
    return (datetime.combine(day, hour, zone) - dates.EPOCH) / timedelta(milliseconds=1)


def written(problem: codec.Record, zone: tzinfo) -> dict[str, object]:
    row: dict[str, object] = json.loads(
        cloud_forms.write(PROBLEMS, problem, updated_ms=1_800_000_000_000, names={}, zone=zone)
    )
    return row


UUID = "722ec9fb-c976-5da8-9803-ada1362fa54c"


@drawn(1000)
@given(DAYS, HOURS, ZONES)
@example(date(2024, 1, 2), time(12), UTC)
@example(date(2024, 1, 2), time(20), ZoneInfo("America/New_York"))
@example(date(2024, 1, 2), time(), timezone(timedelta(hours=-12)))
@example(date(2024, 1, 2), time(), timezone(timedelta(hours=14)))
def test_an_onset_date_is_the_day_that_the_nurse_saw_at_every_hour_in_every_zone(
    day: date, hour: time, zone: tzinfo
) -> None:
    """Entered at noon or in the evening it came a day late west of Greenwich and in UTC."""
    picked = picked_ms(day, hour, zone)
    if (dates.EPOCH + timedelta(milliseconds=picked)).astimezone(zone).date() != day:
        return  # an hour that this day did not have there
    kept = codec.build(PROBLEMS, {"id": UUID, "patient_id": UUID, "onset_date": picked}, zone)
    assert kept.get("onset_date") == picked  # the other phones of the clinic show it as this one does
    assert written(kept, zone)["onset_date"] == day.isoformat()
    back = cloud_forms.read(PROBLEMS, {"id": UUID, "onset_date": f"{day.isoformat()}T00:00:00.000Z"}, zone).record
    assert cloud_forms.same(PROBLEMS.by_name["onset_date"], picked, back.get("onset_date"), zone)


@drawn(400)
@given(DAYS, ZONES, st.integers(-11, 12))
def test_an_onset_date_of_the_cloud_is_that_day_on_every_phone_of_the_clinic(
    day: date, zone: tzinfo, server: int
) -> None:
    midnight = datetime.combine(day, time(), timezone(timedelta(hours=server))).astimezone(UTC)
    row = {"id": UUID, "patient_id": UUID, "onset_date": midnight.isoformat(timespec="milliseconds")}
    kept = cloud_forms.read(PROBLEMS, row, zone).record
    assert (dates.EPOCH + timedelta(milliseconds=kept.get("onset_date"))).astimezone(zone).date() == day
    assert written(kept, zone)["onset_date"] == day.isoformat()


@drawn(200)
@given(DAYS, ZONES)
def test_a_day_as_text_is_that_day_in_every_zone(day: date, zone: tzinfo) -> None:
    for text in (day.isoformat(), f"{day.isoformat()}T23:30:00-05:00", day.isoformat().replace("-", "/")):
        kept = codec.build(PROBLEMS, {"id": UUID, "patient_id": UUID, "onset_date": text}, zone)
        assert written(kept, zone)["onset_date"] == day.isoformat()


OFFSETS = st.integers(-14 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))


def in_cloud(text: str, zone: tzinfo) -> object:
    """Return the date of birth that goes up for one that a phone pushed."""
    patient = codec.build(PATIENTS, {"id": UUID, "date_of_birth": text}, zone)
    assert patient.get("date_of_birth") == dates.folded(text)  # phones show it as it was entered
    row = json.loads(cloud_forms.write(PATIENTS, patient, updated_ms=1_800_000_000_000, names={}, zone=zone))
    back = cloud_forms.read(PATIENTS, {"id": UUID, "date_of_birth": f"{row['date_of_birth']}T00:00:00.000Z"}).record
    assert cloud_forms.same(PATIENTS.by_name["date_of_birth"], text, back.get("date_of_birth"), zone)
    return row["date_of_birth"]


@drawn(600)
@given(DAYS, HOURS, OFFSETS, ZONES)
@example(date(1990, 5, 12), time(), timezone(timedelta(hours=14)), UTC)
@example(date(1990, 5, 12), time(), timezone(timedelta(hours=-12)), UTC)
@example(date(1990, 5, 12), time(20), timezone(timedelta(hours=-12)), ZoneInfo("Pacific/Kiritimati"))
def test_a_date_with_an_offset_of_its_own_is_the_day_that_is_written(
    day: date, hour: time, offset: tzinfo, zone: tzinfo
) -> None:
    """A date of birth written in a zone far from Greenwich went up a day late or early."""
    moment = datetime.combine(day, hour, offset)
    if not moment.utcoffset():
        return
    text = moment.isoformat()
    assert in_cloud(text, zone) == day.isoformat()
    assert online.taken(PATIENTS, {"date_of_birth": text}, zone) == {"date_of_birth": day.isoformat()}
    onset = codec.build(PROBLEMS, {"id": UUID, "patient_id": UUID, "onset_date": text}, zone)
    assert written(onset, zone)["onset_date"] == day.isoformat()
    for table, column in ((PATIENTS, "date_of_birth"), (PROBLEMS, "onset_date"), (STOCK, "batch_expiry_date")):
        read = cloud_forms.read(table, {"id": UUID, column: text}, zone).record
        assert cloud_forms.normalise(table.by_name[column], read.get(column), zone) == day.isoformat()


@drawn(400)
@given(DAYS, st.times().filter(lambda hour: hour.microsecond >= 1000) | st.sampled_from([time(), time(12)]), ZONES)
def test_a_date_stored_as_the_moment_at_which_it_was_picked_is_the_day_that_the_nurse_saw(
    day: date, hour: time, zone: tzinfo
) -> None:
    moment = datetime.combine(day, hour.replace(microsecond=hour.microsecond // 1000 * 1000), zone).astimezone(UTC)
    if moment.astimezone(zone).date() != day or moment.time() == time():
        return  # an hour that this day did not have there, or a midnight of the cloud
    ms = (moment - dates.EPOCH) // timedelta(milliseconds=1)
    assert in_cloud(moment.isoformat().replace("+00:00", "Z"), zone) == day.isoformat()
    if abs(ms) >= 10**10:
        assert in_cloud(str(ms), zone) == day.isoformat()


@pytest.mark.parametrize("hour", range(1, 24))
@pytest.mark.parametrize("zone", [UTC, ZoneInfo("America/New_York"), ZoneInfo("Pacific/Kiritimati")], ids=str)
def test_a_date_picked_on_the_hour_is_that_day_unless_the_cloud_may_have_written_it(hour: int, zone: tzinfo) -> None:
    moment = datetime(1990, 5, 12, hour, tzinfo=zone).astimezone(UTC)
    if moment.time() != time():
        assert in_cloud(moment.isoformat().replace("+00:00", "Z"), zone) == "1990-05-12"
        assert in_cloud(str((moment - dates.EPOCH) // timedelta(milliseconds=1)), zone) == "1990-05-12"


@pytest.mark.parametrize(
    "text", ["1990/05/12T00:00:00+14:00", "1990/05/12 00:00", "1990-5-12T10:00:00-12:00", "۱۹۹۰/۰۵/۱۲ ۲۳:۳۰:۰۰+۰۵:۰۰"]
)
def test_a_moment_with_a_date_in_other_marks_is_that_day(text: str) -> None:
    assert in_cloud(text, UTC) == "1990-05-12"
    assert online.taken(PATIENTS, {"date_of_birth": text}) == {"date_of_birth": "1990-05-12"}
    onset = codec.build(PROBLEMS, {"id": UUID, "patient_id": UUID, "onset_date": text})
    assert written(onset, UTC)["onset_date"] == "1990-05-12"


@drawn(200)
@given(DAYS, ZONES, st.integers(-11, 12).filter(bool))
def test_a_date_that_a_phone_pulled_from_the_cloud_itself_stays_that_day(day: date, zone: tzinfo, server: int) -> None:
    """It keeps the midnight of the server's zone as it came."""
    moment = datetime.combine(day, time(), timezone(timedelta(hours=server))).astimezone(UTC)
    if moment.astimezone(zone).time() in {time(), time(12)} or moment.time() == time(12):
        return  # a day that was picked here looks like it
    assert in_cloud(moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"), zone) == day.isoformat()
    assert in_cloud(f"{day.isoformat()}T00:00:00.000Z", zone) == day.isoformat()


@pytest.mark.parametrize("text", ["1990", "642470400", "05-12", "1990-02-30T00:00:00+14:00", "9" * 15, "x", "-" * 12])
def test_what_may_be_any_day_is_none(text: str) -> None:
    with pytest.raises(BadRecord, match="date_of_birth"):
        in_cloud(text, UTC)


@drawn(600)
@given(
    DAYS,
    st.sampled_from(SCRIPTS),
    st.sampled_from(MARKS),
    st.sampled_from(BETWEEN),
    st.sampled_from(MARKS),
    st.booleans(),
)
def test_a_date_year_first_is_folded_whatever_its_digits_and_marks(
    day: date,
    digits: str,
    before: str,
    between: str,
    after: str,
    short: bool,  # noqa: FBT001
) -> None:
    month, of_month = (f"{day.month}", f"{day.day}") if short else (f"{day.month:02}", f"{day.day:02}")
    plain = between.join([f"{day.year:04}", month, of_month])
    text = before + plain.translate(str.maketrans("0123456789", digits)) + after
    assert codec.build(PATIENTS, {"id": "p", "date_of_birth": text}).get("date_of_birth") == day.isoformat()
    assert online.taken(PATIENTS, {"date_of_birth": text}) == {"date_of_birth": day.isoformat()}


@pytest.mark.parametrize(
    "text", ["", "about 1960", "12/05/1990", "1990", "05-12", "1990-05-12T10:00:00Z", "1990-14-01"]
)
def test_what_is_no_date_year_first_stays_as_it_was_entered(text: str) -> None:
    assert codec.build(PATIENTS, {"id": "p", "date_of_birth": text}).get("date_of_birth") == text


@drawn(200)
@given(st.text(max_size=45))
def test_folding_twice_is_folding_once(text: str) -> None:
    assert dates.folded(dates.folded(text)) == dates.folded(text)


@pytest.mark.parametrize(
    ("text", "calendar"),
    [
        ("1310-02-31", Calendar.SOLAR_HIJRI),
        ("۱۳۶۹/۰۲/۳۱", Calendar.EITHER_HIJRI),
        ("1447-02-30", Calendar.HIJRI),
        ("2533-02-30", Calendar.BUDDHIST),
        ("1982-13-05", Calendar.ETHIOPIAN),
        ("2046-03-32", Calendar.BIKRAM_SAMBAT),
        ("5786-02-30", Calendar.HEBREW),
        ("1990-02-30", None),
        ("about 1960", None),
    ],
)
def test_a_likely_other_calendar_is_known(text: str, calendar: Calendar | None) -> None:
    assert dates.calendar_of_text(text) == calendar


@pytest.mark.parametrize("text", ["١٧٠٠٠٠٠٠٠٠٠٠٠", "\u200f1700000000000"])
def test_a_moment_in_any_digits_is_a_moment(text: str) -> None:
    assert column_types.moment_ms(text) == 1_700_000_000_000
    assert column_types.moment_ms("١٩٩٠/٠٥/١٢") == column_types.moment_ms("1990-05-12")
