"""A token's letters are listed with its history, for those who may know whose token it is, and without addresses."""

from tests.stack import Enter
from tests.waiting import until
from tokenq.client import Client


def test_letters_are_listed_with_their_state_for_staff_of_the_department(admin: Client, enter: Enter) -> None:
    admin.create_department({"departmentId": "LTR", "name": "Letters", "letters": ["issued", "called"]})
    admin.create_department({"departmentId": "LTS", "name": "Others"})
    clerk = enter("staff", "LTR")
    token = clerk.issue("LTR", email="ada@example.com", name="Ada")
    until(lambda: clerk.token_record(token["tokenId"])["letters"], seconds=30)
    clerk.call("LTR", "LTR-1")

    def letters() -> list[dict[str, str]]:
        return list(clerk.token_record(token["tokenId"])["letters"])

    until(lambda: [each["kind"] for each in letters() if each["state"] == "sent"] == ["issued", "called"], seconds=30)
    assert {each["channel"] for each in letters()} == {"email"}
    assert all(set(each) == {"kind", "channel", "state", "at"} for each in letters())
    assert letters()[0]["at"] <= letters()[1]["at"]
    assert enter("staff", "LTS").token_record(token["tokenId"])["letters"] == []


def test_who_has_no_address_has_no_letters(admin: Client, enter: Enter) -> None:
    admin.create_department({"departmentId": "LTN", "name": "None"})
    token = enter("desk", "LTN").issue("LTN")
    assert admin.token_record(token["tokenId"])["letters"] == []
