"""Which line of a file is to blame: whatever way TOML offers to write the same thing."""

import tomllib
from typing import Any

import pytest
import tomli_w
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenq.cli.toml_lines import line_of

FLOOR = '''\
# departments.CW.ratio = "9"
title = "a floor"

[branches.main]
name = "Main"  # name = "not this"
hours.weekly.mon = ["08:00-12:00", "13:00-17:00"]
hours.weekly."tue" = []

[ departments . "CW" ] # [departments.HR]
name = """
ratio = "1:1"
[departments.HR]
"""
ratio = "9"
counters = [
  "1", # ratio = 3
  "2", "a,]b",

  "3",
]

[departments.HR.hours]
weekly = { mon = ["08:00-12:00"], tue = [] }

[departments.HR]
name = \'\'\'it\\\'\'\'
classNames = { urgent = "Emer # gency", "nor.mal" = "}" }

[counters.north]
"a.b c" = { departments = [] }
3 = { departments = [
  "CW",
  "HR",
] }

[[things]]
name = "one"
[[things]]
name = "two"
[things.inner]
when = 1979-05-27 07:32:00
[[things.more]]
x = [ [1, 2], [3,
  4] ]

[last]
deep.er.still = 1
'''


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("title", "title ="),
        ("branches", "[branches.main]"),
        ("branches.main", "[branches.main]"),
        ("branches.main.name", 'name = "Main"'),
        ("branches.main.hours.weekly.mon", "hours.weekly.mon"),
        ("branches.main.hours.weekly.mon.1", "hours.weekly.mon"),
        ("branches.main.hours.weekly.tue", 'hours.weekly."tue"'),
        ("branches.main.hours", "hours.weekly.mon"),
        ("departments.CW", '[ departments . "CW" ]'),
        ("departments.CW.name", 'name = """'),
        ("departments.CW.ratio", 'ratio = "9"'),
        ("departments.CW.counters", "counters = ["),
        ("departments.CW.counters.0", '"1", #'),
        ("departments.CW.counters.2", '"2", "a,]b"'),
        ("departments.CW.counters.3", '"3",'),
        ("departments.CW.missing", '[ departments . "CW" ]'),
        ("departments.HR", "[departments.HR]"),
        ("departments.HR.hours.weekly.tue", "weekly = {"),
        ("departments.HR.classNames.nor.mal", "classNames ="),
        ("departments.HR.classNames.urgent", "classNames ="),
        ("departments.HR.[key]", "[departments.HR]"),
        ("counters.north.a.b c.departments", '"a.b c" ='),
        ("counters.north.3.departments.1", '"HR",'),
        ("things.0.name", 'name = "one"'),
        ("things.1.name", 'name = "two"'),
        ("things.1.inner.when", "when ="),
        ("things.1.more.0.x.1.1", "4] ]"),
        ("last.deep.er.still", "deep.er.still"),
    ],
)
def test_the_line_that_says_it(path: str, says: str) -> None:
    tomllib.loads(FLOOR)
    line = line_of(FLOOR, path)
    assert line is not None
    found = FLOOR.splitlines()[line - 1]
    assert found.strip().startswith(says)
    assert (path, line) != ("departments.HR", FLOOR.splitlines().index("[departments.HR]") + 1)


def test_what_is_nowhere_has_no_line() -> None:
    assert line_of(FLOOR, "users.ann") is None
    assert line_of("", "users") is None
    assert line_of("# nothing", "") is None


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
documents = st.recursive(
    st.one_of(texts, st.integers(), st.booleans(), st.lists(texts, max_size=3)),
    lambda inner: (
        st.dictionaries(texts, inner, max_size=4) | st.lists(st.dictionaries(texts, inner, max_size=2), max_size=3)
    ),
    max_leaves=15,
)


@settings(max_examples=300)
@given(st.dictionaries(texts, documents, max_size=4))
def test_every_value_of_any_file_is_found_on_a_line_that_holds_it(document: dict[str, Any]) -> None:
    """The scanner never loses its way: the mark at the end of the file is found where it is."""
    text = tomli_w.dumps({**document, "zz": {"mark": 1}} if "zz" not in document else {"zz": {"mark": 1}})
    line = line_of(text, "zz.mark")
    assert line is not None
    assert text.split("\n")[line - 1] == "mark = 1"
