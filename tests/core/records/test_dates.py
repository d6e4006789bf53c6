"""Tests that the day which a nurse saw is the day that everybody gets, in every script and zone."""

import json
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hub.core.cloud import forms as cloud_forms
from hub.core.records import codec, column_types, dates, online
from hub.core.records.dates import Calendar
from hub.core.records.tables import TABLES
from tests.draws import drawn

PATIENTS, PROBLEMS = TABLES["patients"], TABLES["patient_problems"]
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
