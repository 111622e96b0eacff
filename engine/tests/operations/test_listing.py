"""Lists, page by page."""

import pytest

from comprehend_engine.errors import ServiceError
from comprehend_engine.operations.listing import (
    created_within,
    multi_member_filter,
    page,
    single_member_filter,
)

Item = tuple[float, str]


def place(item: Item) -> Item:
    """Say where an item stands: itself."""
    return item


def test_pages_join_to_the_whole_list_when_something_is_created_between_them() -> None:
    """Newest first; an item that is created while paging neither repeats nor hides another."""
    items: list[Item] = [(float(number), f"item {number}") for number in range(5)]
    first, token = page({"MaxResults": 2}, items, place)
    second, token = page({"MaxResults": 2, "NextToken": token}, [*items, (9.0, "new")], place)
    third, end = page({"MaxResults": 2, "NextToken": token}, items, place)
    assert [name for _, name in [*first, *second, *third]] == [f"item {n}" for n in (4, 3, 2, 1, 0)]
    assert end is None


def test_a_page_has_a_hundred_items_when_no_size_is_asked() -> None:
    """That is the documented default."""
    items: list[Item] = [(float(number), "") for number in range(101)]
    shown, token = page({}, items, place)
    assert len(shown) == 100
    assert token is not None


@pytest.mark.parametrize("token", ["7", "!", "eyJhIjoxfQ=="])
def test_a_token_is_refused_when_no_list_gave_it_out(token: str) -> None:
    """The message has the invalid value."""
    with pytest.raises(ServiceError, match="NextToken"):
        page({"NextToken": token}, [(1.0, "a")], place)


def test_a_filter_is_refused_when_it_has_two_members_where_one_may_be() -> None:
    """The service documents one at a time for flywheels and classifiers."""
    with pytest.raises(ServiceError, match="InvalidFilterException"):
        single_member_filter({"Filter": {"Status": "ACTIVE", "CreationTimeAfter": 1.0}})


def test_a_moment_passes_when_it_is_between_both_ends() -> None:
    """Both ends are exclusive."""
    chosen = {"CreationTimeAfter": 1.0, "CreationTimeBefore": 3.0}
    assert [moment for moment in (1.0, 2.0, 3.0) if created_within(chosen, moment)] == [2.0]


@pytest.mark.parametrize("before", [1.0, 2.0])
def test_a_filter_is_refused_when_no_moment_is_within_its_times(before: float) -> None:
    """Both ends are exclusive; one end is enough."""
    times = {"CreationTimeAfter": 2.0, "CreationTimeBefore": before}
    with pytest.raises(ServiceError, match=r"InvalidFilterException.*is not before"):
        multi_member_filter({"Filter": times})
    assert multi_member_filter({"Filter": {"CreationTimeAfter": 2.0}}) == {"CreationTimeAfter": 2.0}
