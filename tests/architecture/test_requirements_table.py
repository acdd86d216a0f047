"""The table of requirements finds the tests of both worlds, and its list is whole."""

from pathlib import Path

from tools.requirements_table import listed, rows, titled

ROOT = Path(__file__).resolve().parents[2]


def test_a_web_test_proves_the_ids_in_its_title() -> None:
    source = 'it("is sent once [MSG-18, WEB-1]", () => {});\ntest.each([1])("plain", () => {});'
    assert titled("web/a.test.ts", source) == {
        "MSG-18": {"web/a.test.ts::is sent once [MSG-18, WEB-1]"},
        "WEB-1": {"web/a.test.ts::is sent once [MSG-18, WEB-1]"},
    }


def test_a_requirement_without_a_test_does_not_hold() -> None:
    proven, unproven = rows({"A-1": "one", "A-2": "two"}, {"A-1": ["tests/test_a.py::test_b"]})
    assert (proven["holds"], proven["value"], proven["raw"]) == (True, 1, ["tests/test_a.py::test_b"])
    assert (unproven["holds"], unproven["value"]) == (False, 0)


def test_each_area_is_numbered_without_a_gap() -> None:
    ids = [requirement.split("-") for requirement in listed((ROOT / "docs" / "requirements.md").read_text())]
    for area in {area for area, _ in ids}:
        numbers = [int(number) for name, number in ids if name == area]
        assert numbers == list(range(1, len(numbers) + 1)), area
