"""What the page says of failures is what the table of failures says."""

from softmode.present.page.all_entries import QUANTITIES, campaign_data
from tests.compare.campaign import made_up


def test_time_of_a_failure_that_nobody_knows_is_none_and_not_zero() -> None:
    properties, _ = made_up(["one"], n_failed=2)
    missing = [quantity.column for quantity in QUANTITIES if quantity.column not in properties]
    properties = properties.assign(space_group=1, **dict.fromkeys(missing, None))
    failed = properties.index[properties["status"] == "failed"]
    times = ["relax_seconds", "force_sets_seconds", "phonons_seconds"]
    properties[times] = None
    properties.loc[failed[1], times[0]] = 1.5
    entries = list(dict.fromkeys(properties["entry"]))
    data = campaign_data(properties, entries, "scripts")
    assert [failure["seconds"] for failure in data["failures"]] == [None, 1.5]
