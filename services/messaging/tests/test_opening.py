"""Opening threads and finding whom one may write to."""

import asyncio
from uuid import uuid4

import pytest

from services.messaging.tests.builders import Oak


@pytest.mark.req("MSG-1", "MSG-14")
async def test_a_child_and_a_seat_have_one_thread_whoever_opens_it(oak: Oak) -> None:
    body = {"pupil": str(oak.emma.id), "seat": str(oak.seat_id)}
    again = await oak.teacher.post("/threads", body)
    by_family = await oak.rosa.post("/threads", body)
    assert (again.status_code, by_family.status_code) == (200, 200)
    assert again.json()["id"] == by_family.json()["id"] == oak.thread


@pytest.mark.req("MSG-18")
async def test_a_repeat_of_the_opening_gives_the_same_answer(oak: Oak) -> None:
    ben = await oak.pupil("Ben Ito", oak.class_id)
    body = {"pupil": str(ben.id), "seat": str(oak.seat_id)}
    answers = await asyncio.gather(*(oak.teacher.post("/threads", body, key="key-of-one-opening") for _ in range(8)))
    assert {(answer.status_code, answer.json()["id"]) for answer in answers} == {(201, answers[0].json()["id"])}
    other = body | {"pupil": str(oak.emma.id)}
    assert (await oak.teacher.post("/threads", other, key="key-of-one-opening")).json()["code"] == "key-reused"


async def test_twenty_openings_at_once_make_one_thread(oak: Oak) -> None:
    ben = await oak.pupil("Ben Ito", oak.class_id)
    pia = await oak.guardian("Pia Ito", ben)
    opened = await asyncio.gather(*(one.opens(ben.id, oak.seat_id) for one in (oak.teacher, pia) * 10))
    assert len(set(opened)) == 1


@pytest.mark.req("MSG-1")
async def test_every_guardian_of_the_moment_reads_from_the_first_message(oak: Oak) -> None:
    ben = await oak.pupil("Ben Ito", oak.class_id)
    family = [await oak.guardian("Pia Ito", ben), await oak.guardian("Kai Ito", ben)]
    thread = await oak.teacher.opens(ben.id, oak.seat_id)
    await oak.teacher.says(thread, "to both")
    for guardian in family:
        assert await guardian.reads(thread) == ["to both"]


@pytest.mark.req("MSG-1", "MSG-14")
async def test_only_with_ones_own_pupils_and_ones_childrens_seats(oak: Oak, other_school: Oak) -> None:
    ash = await oak.school_class("Ash")
    bea = await oak.person("Bea Lund", "teacher")
    ash_seat = await oak.seat("class_teacher", ash, bea)
    noah = await oak.pupil("Noah Kay", ash)
    kim = await oak.guardian("Kim Kay", noah)
    assert (await bea.post("/threads", {"pupil": str(noah.id), "seat": str(ash_seat)})).status_code == 201
    absent = await oak.teacher.post("/threads", {"pupil": str(uuid4()), "seat": str(oak.seat_id)})
    for who, pupil, seat in (
        (oak.teacher, noah.id, oak.seat_id),
        (oak.teacher, noah.id, ash_seat),
        (oak.teacher, oak.emma.id, ash_seat),
        (oak.rosa, oak.emma.id, ash_seat),
        (oak.rosa, noah.id, ash_seat),
        (kim, oak.emma.id, oak.seat_id),
        (other_school.teacher, oak.emma.id, oak.seat_id),
        (oak.teacher, other_school.emma.id, other_school.seat_id),
    ):
        refused = await who.post("/threads", {"pupil": str(pupil), "seat": str(seat)})
        assert (refused.status_code, refused.content) == (404, absent.content)


async def test_a_pupil_who_left_the_class_is_no_contact(oak: Oak) -> None:
    assert len((await oak.teacher.get("/contacts")).json()["items"]) == 1
    await oak.changes("update known_enrolment set ended = true where school_id = $1")
    assert (await oak.teacher.get("/contacts")).json()["items"] == []
    assert await oak.teacher.sees(oak.thread), "the thread stays"


async def test_staff_find_families_and_guardians_find_seats(oak: Oak) -> None:
    (for_staff,) = (await oak.teacher.get("/contacts")).json()["items"]
    assert for_staff == {
        "pupil": {"id": str(oak.emma.id), "name": "Emma Vega", "first_name": "Emma"},
        "class": {"id": str(oak.class_id), "name": "Oak"},
        "seat": {"id": str(oak.seat_id), "kind": "class_teacher", "subject": "", "holders": ["Ada Hill"]},
        "family": [{"name": "Rosa Vega", "relationship": "mother", "language": "es"}],
        "thread": oak.thread,
    }
    await oak.guardian("Luis Vega", oak.emma)
    (for_family,) = (await oak.rosa.get("/contacts")).json()["items"]
    assert for_family == for_staff | {"family": []}, "never the other guardian's data"


async def test_contacts_come_by_name_and_page_by_page_in_any_script(oak: Oak) -> None:
    for name in ("زينب " + "ا" * 100, "Ålund Bo", "aaron Abel", "Zoë Ząb"):
        await oak.pupil(name, oak.class_id)
    names, cursor = [], None
    while True:
        page = (await oak.teacher.get("/contacts", limit=1, **({"cursor": cursor} if cursor else {}))).json()
        names += [one["pupil"]["name"].split()[0] for one in page["items"]]
        if (cursor := page["next"]) is None:
            break
    assert names == ["aaron", "Emma", "Zoë", "Ålund", "زينب"]


async def test_a_search_finds_parts_of_names_and_takes_signs_as_they_are(oak: Oak) -> None:
    await oak.pupil("Ben Ito", oak.class_id)

    async def found(who: object, q: str) -> list[str]:
        return [one["pupil"]["name"] for one in (await who.get("/contacts", q=q)).json()["items"]]

    assert await found(oak.teacher, "EMM") == ["Emma Vega"]
    assert await found(oak.teacher, "rosa") == ["Emma Vega"], "by the family's name"
    assert await found(oak.rosa, "ada h") == ["Emma Vega"], "by the teacher's name"
    assert await found(oak.rosa, "rosa") == []
    for sign in ("%", "_", "\\", "'"):
        assert await found(oak.teacher, sign) == []
