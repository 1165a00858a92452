"""The table of Zalo's codes says the same as the vendor's pages do."""

import pytest

from zalo_oa.errors import FAULTS, Fault, Host, Reach, Remedy, Scope, fault


@pytest.mark.parametrize("host", Host)
def test_every_code_is_filed_under_itself(host: Host) -> None:
    """Each line stands once, and 0 is the only success."""
    table = FAULTS[host]
    assert all(code == line.code for code, line in table.items())
    assert [code for code, line in table.items() if line.remedy is Remedy.NONE] == [0]


def test_three_codes_ask_for_another_token() -> None:
    """-216 and -220 on the OA host and -124 on the ZBS host; nowhere else."""
    asking = {(host, code) for host, table in FAULTS.items() for code, line in table.items() if line.refresh}
    assert asking == {(Host.OA, -216), (Host.OA, -220), (Host.ZBS, -124)}


def test_only_two_codes_mean_that_a_phone_leads_to_nobody() -> None:
    """A phone is marked for -118 and -108 of ZBS; all other refusals may pass."""
    gone = {(host, code) for host, t in FAULTS.items() for code, f in t.items() if f.reach is Reach.FOR_GOOD}
    assert gone == {(Host.ZBS, -118), (Host.ZBS, -108)}


@pytest.mark.parametrize("code", [-110, -114, -119, -133, -134, -139, -140, -141])
def test_a_phone_that_cannot_receive_now_goes_to_the_next_channel(code: int) -> None:
    """On Zalo but unreachable: no retry, no alarm, no mark for good."""
    line = fault(Host.ZBS, code)
    assert (line.remedy, line.scope, line.alarm, line.reach) == (
        Remedy.OTHER_CHANNEL,
        Scope.RECIPIENT,
        False,
        Reach.NOW,
    )


@pytest.mark.parametrize("code", [-213, -217, -218, -222, -227, -230, -232, -234, -244, -305, -311])
def test_a_closed_window_goes_to_the_next_channel(code: int) -> None:
    """A user who has not written for 7 days is reached by the next channel, without an alarm."""
    line = fault(Host.OA, code)
    assert (line.remedy, line.scope, line.alarm) == (Remedy.OTHER_CHANNEL, Scope.RECIPIENT, False)


@pytest.mark.parametrize(
    ("host", "code"), [(Host.ZBS, -144), (Host.ZBS, -115), (Host.ZBS, -137), (Host.OA, -321), (Host.OA, -204)]
)
def test_what_hits_everybody_alarms_and_marks_nobody(host: Host, code: int) -> None:
    """Money, quota and permission are no fault of a recipient."""
    line = fault(host, code)
    assert (line.remedy, line.scope, line.alarm) == (Remedy.GIVE_UP, Scope.EVERYBODY, True)


@pytest.mark.parametrize(("host", "code"), [(Host.OA, -32), (Host.OA, -200), (Host.ZBS, -100)])
def test_passing_trouble_is_tried_again(host: Host, code: int) -> None:
    """The call limit and unknown trouble pass by themselves."""
    assert fault(host, code).remedy is Remedy.RETRY


@pytest.mark.parametrize(("host", "code"), [(Host.OA, -210), (Host.OA, -233), (Host.ZBS, -1121)])
def test_a_fault_of_ours_alarms_and_is_not_repeated(host: Host, code: int) -> None:
    """A message that is too long stays too long."""
    line = fault(host, code)
    assert (line.remedy, line.scope, line.alarm) == (Remedy.GIVE_UP, Scope.MESSAGE, True)


def test_a_code_means_another_thing_on_the_other_host() -> None:
    """-100 is an expired upload on the OA host and passing trouble on ZBS."""
    assert fault(Host.OA, -100).remedy is Remedy.GIVE_UP
    assert fault(Host.ZBS, -100).remedy is Remedy.RETRY
    assert fault(Host.OA, -118).meaning == "a code we do not know"


@pytest.mark.parametrize("host", Host)
def test_an_unknown_code_is_given_up_with_an_alarm(host: Host) -> None:
    """A code that Zalo invents tomorrow is neither a success nor repeated for ever."""
    assert fault(host, -99999) == Fault(
        -99999, "a code we do not know", Remedy.GIVE_UP, Scope.MESSAGE, alarm=True
    )
