"""Request schemas: strict types that refuse unknown fields, wrong types and unprintable text."""

from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, create_model
from pydantic.alias_generators import to_camel, to_snake
from pydantic_core import PydanticCustomError

from tokenq.contract import names
from tokenq.contract.days import DATE
from tokenq.contract.enums import USER_ROLES, Priority, Role
from tokenq.contract.hours import read_hours
from tokenq.contract.notifications import LetterKind
from tokenq.contract.settings import SETTINGS, Setting
from tokenq.contract.spelling import letters_of
from tokenq.locale import SOURCE, languages
from tokenq_server.api.text_checks import no_encoded_word, one_line

_HOURS_LENGTH = 10_000


def role_of_a_user(role: Role) -> Role:
    """Check that a person may have this role."""
    if role not in USER_ROLES:
        raise ValueError(f"must not be {role}: create a key for the board instead")
    return role


def without_duplicates(texts: list[str]) -> list[str]:
    """Check that no two texts of a list are alike: a board would show both in the same way."""
    known: dict[str, str] = {}
    for text in texts:
        if (letters := letters_of(text)) in known:
            raise ValueError(f"names {known[letters]} and {text}" if known[letters] != text else f"names {text} twice")
        known[letters] = text
    return texts


def calendar_day(text: Any) -> Any:
    """Check that a day is written as 2026-11-23: the framework also takes seconds since 1970."""
    if isinstance(text, str) and not DATE.fullmatch(text):
        raise PydanticCustomError("string_pattern_mismatch", "must be a date")
    return text


def known_language(tag: str) -> str:
    """Check that there are texts in a language."""
    if tag not in languages():
        raise ValueError(f"names {tag}: choose from {', '.join(languages())}")
    return tag


Line = AfterValidator(one_line)
CalendarDay = Annotated[date, BeforeValidator(calendar_day)]
Distinct = AfterValidator(without_duplicates)
PersonName = Annotated[str, Field(min_length=1, max_length=names.PERSON_NAME_LENGTH), Line]
Label = Annotated[str, Field(min_length=1, max_length=80), Line]
CounterId = Annotated[str, Field(min_length=1, max_length=names.COUNTER_ID_LENGTH), Line]
Reason = Annotated[str, Field(min_length=1, max_length=200), Line]
DepartmentId = Annotated[str, Field(pattern=names.DEPARTMENT_ID)]
BranchId = Annotated[str, Field(pattern=names.BRANCH_ID)]
Email = Annotated[str, Field(pattern=names.EMAIL, max_length=names.EMAIL_LENGTH), AfterValidator(no_encoded_word)]
Username = Annotated[str, Field(pattern=names.USERNAME)]
Password = Annotated[
    str,
    Field(min_length=names.PASSWORD_LENGTH[0], max_length=names.PASSWORD_LENGTH[1], pattern=r"^[^\x00-\x1f\x7f]*$"),
]
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Language = Annotated[str, Field(pattern=names.LANGUAGE, max_length=16), AfterValidator(known_language)]
Minutes = Annotated[int, Field(ge=1, le=1440)]
Departments = Annotated[list[DepartmentId], Field(max_length=200)]
AnyPriority = Annotated[Priority, Field(strict=False)]
AnyLetterKind = Annotated[LetterKind, Field(strict=False)]
AnyRole = Annotated[Role, Field(strict=False)]
UserRole = Annotated[Role, Field(strict=False), AfterValidator(role_of_a_user)]


class Body(BaseModel):
    """A request body."""

    model_config = ConfigDict(strict=True, extra="forbid", alias_generator=to_camel, validate_by_alias=True)

    def given(self) -> dict[str, Any]:
        """Return only the fields that the request sets, in Python's spelling."""
        return self.model_dump(exclude_unset=True)


class Login(Body):
    """A user name and a password."""

    username: Annotated[str, Field(min_length=1, max_length=64), Line]
    password: Annotated[str, Field(min_length=1, max_length=names.PASSWORD_LENGTH[1])]


class ChangePassword(Body):
    """The current password, and the new one."""

    old_password: Annotated[str, Field(min_length=1, max_length=names.PASSWORD_LENGTH[1])]
    new_password: Password


class IssueToken(Body):
    """The customer's details; all are optional."""

    user_id: Id | None = None
    email: Email | None = None
    name: PersonName | None = None
    priority: AnyPriority = Priority.NORMAL
    near_turn: Annotated[int, Field(ge=0, le=50)] | None = None
    language: Language | None = None
    force: bool = False

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"email": "user@example.com", "name": "Ada Byron", "priority": "normal"}]}
    )


class IssueTokens(Body):
    """Up to a hundred tokens at once; with ``allOrNone`` in one step, so that a refused one refuses all."""

    tokens: Annotated[list[IssueToken], Field(min_length=1, max_length=100)]
    all_or_none: bool = False


class HoursBody(Body):
    """Opening hours per weekday, and exceptions per date."""

    weekly: dict[str, Annotated[list[str], Field(max_length=8)]] = {}
    exceptions: Annotated[dict[str, Annotated[list[str], Field(max_length=8)]], Field(max_length=400)] = {}

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"weekly": {"mon": ["08:00-12:00"]}, "exceptions": {"2026-12-25": []}}]}
    )


def _parse_hours(value: Any) -> Any:
    return read_hours(value) if isinstance(value, str) and len(value) <= _HOURS_LENGTH else value


AnyHours = Annotated[HoursBody, BeforeValidator(_parse_hours)]
"""Opening hours as an object or a string: ``mon-fri 08:00-12:00, 13:00-17:00``."""


def _bounded_field(setting: Setting) -> Any:
    return Annotated[int, Field(ge=setting.least, le=setting.most)] | None, None


def _choice_field(setting: Setting) -> Any:
    return Literal[tuple(map(str, setting.choices))] | None, None


if TYPE_CHECKING:  # only these fields are requested, by name
    _NumbersAndChoices = Body
else:
    _NumbersAndChoices = create_model(
        "_NumbersAndChoices",
        __base__=Body,
        **{to_snake(key): _bounded_field(setting) for key, setting in SETTINGS.items() if setting.is_number},
        **{to_snake(key): _choice_field(setting) for key, setting in SETTINGS.items() if setting.choices},
    )


class DepartmentFields(_NumbersAndChoices):
    """A department's settings, all optional; ``hours`` null means the branch's."""

    name: PersonName | None = None
    branch_id: BranchId | None = None
    prefix: Annotated[str, Field(min_length=1, max_length=8)] | None = None
    number_format: Annotated[str, Field(min_length=1, max_length=40)] | None = None
    ratio: Annotated[str, Field(min_length=3, max_length=5)] | None = None
    max_wait_minutes: Minutes | None = None
    open: bool | None = None
    letters: Annotated[list[AnyLetterKind], Field(max_length=len(LetterKind)), Distinct] | None = None
    counters: Annotated[list[CounterId], Field(max_length=200), Distinct] | None = None
    class_names: dict[AnyPriority, Label] | None = None
    hours: AnyHours | None = None

    def settings(self) -> dict[str, Any]:
        """Return the settings that the request sets, as the use case names them."""
        settings = {name: value for name, value in self.given().items() if value is not None or name == "hours"}
        if "open" in settings:
            settings["is_open"] = settings.pop("open")
        settings.pop("department_id", None)
        return settings


class PutDepartment(DepartmentFields):
    """A department's settings; omitted ones get their defaults."""

    name: PersonName

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Cash window", "ratio": "2:1"}]})


class CreateDepartment(PutDepartment):
    """A new department; without an id, one is generated from its name."""

    department_id: DepartmentId | None = None

    model_config = ConfigDict(json_schema_extra={"examples": [{"departmentId": "CW", "name": "Cash window"}]})


class PutBranch(Body):
    """A branch's settings; omitted ones get their defaults."""

    name: PersonName
    timezone: Annotated[str, Field(min_length=1, max_length=64)] = "UTC"
    rollover_hour: Annotated[int, Field(ge=0, le=23)] = 4
    hours: AnyHours | None = None
    languages: Annotated[list[Language], Field(min_length=1, max_length=8), Distinct] = [SOURCE]
    counter_words: dict[Language, Annotated[str, Field(min_length=1, max_length=20), Line]] = {}
    public_url: Annotated[str, Field(max_length=300, pattern=f"^$|{names.PUBLIC_URL}")] = ""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "Town hall", "timezone": "Europe/Berlin"}]})


class ReplaceBranch(PutBranch):
    """A branch's settings. A change that would end a business day is refused unless ``endDay`` is true."""

    end_day: bool = False


class CreateBranch(PutBranch):
    """A new branch."""

    branch_id: BranchId


class CreateUser(Body):
    """A new user; without a username they cannot log in."""

    name: PersonName
    username: Username | None = None
    email: Email | None = None
    role: UserRole = Role.CUSTOMER
    departments: Departments = []
    password: Password | None = None

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"name": "Ada Byron", "username": "ada", "role": "staff", "departments": ["CW"]}]
        }
    )


class ChangeUser(Body):
    """The changes to a user."""

    name: PersonName | None = None
    username: Username | None = None
    email: Email | None = None
    role: UserRole | None = None
    departments: Departments | None = None
    password: Password | None = None
    disabled: bool | None = None


class ChangeKey(Body):
    """The changes to a key; its secret stays the same."""

    label: Label | None = None
    role: AnyRole | None = None
    departments: Departments | None = None


class CreateKey(Body):
    """A new key: its label and its rights."""

    label: Label
    role: AnyRole
    departments: Departments = []

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"label": "kiosk", "role": "desk", "departments": ["CW"]}]}
    )
