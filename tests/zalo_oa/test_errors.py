"""The table of Zalo's codes says the same as the vendor's pages do."""

from typing import Final

import pytest

from zalo_oa.errors import FAULTS, NOT_ON_ZALO_FOR, Fault, Host, Remedy, Scope, fault


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
    """A phone is left alone for 30 days after -118 or -108 of ZBS; all other refusals may pass."""
    gone = {
        (host, code, line.out_for) for host, t in FAULTS.items() for code, line in t.items() if line.out_for
    }
    assert gone == {(Host.ZBS, -118, NOT_ON_ZALO_FOR), (Host.ZBS, -108, NOT_ON_ZALO_FOR)}


def test_two_codes_say_that_we_have_not_heard_from_somebody() -> None:
    """-230 and -232 of the OA host correct what we believed of the window; they blame nobody."""
    unheard = {(host, code) for host, table in FAULTS.items() for code, f in table.items() if f.unheard}
    assert unheard == {(Host.OA, -230), (Host.OA, -232)}


#: The codes of both hosts as the vendor's pages list them, by what they leave to do.
_OK, _AGAIN, _TOKEN = "ok", "again", "token"
_PERSON, _NOBODY, _NOT_NOW, _OURS, _STOPPED = "person", "nobody", "not now", "ours", "stopped"
_CLASSES: Final = {
    _OK: (Remedy.NONE, Scope.MESSAGE, False, False),
    _AGAIN: (Remedy.RETRY, None, False, False),
    _TOKEN: (Remedy.RETRY, Scope.EVERYBODY, True, True),
    _PERSON: (Remedy.OTHER_CHANNEL, Scope.RECIPIENT, False, False),
    _NOBODY: (Remedy.OTHER_CHANNEL, Scope.RECIPIENT, False, False),
    _NOT_NOW: (Remedy.OTHER_CHANNEL, Scope.MESSAGE, False, False),
    _OURS: (Remedy.GIVE_UP, Scope.MESSAGE, True, False),
    _STOPPED: (Remedy.GIVE_UP, Scope.EVERYBODY, True, False),
}
_WRITTEN: Final = {
    (Host.OA, _OK): (0,),
    (Host.OA, _AGAIN): (-32, -200),
    (Host.OA, _TOKEN): (-216, -220),
    (Host.OA, _PERSON): (-213, -217, -218, -222, -227, -244, -305, -311),
    (Host.OA, _NOT_NOW): (-230, -232, -234),
    (Host.OA, _OURS): (-100, -201, -210, -214, -233, -237, -238, -241, -249, -403, -1340, -1341),
    (Host.OA, _STOPPED): (
        *(-202, -204, -205, -207, -208, -209, -211, -212, -215, -219, -221, -223, -224, -235, -240),
        *(-242, -248, -320, -321),
    ),
    (Host.ZBS, _OK): (0,),
    (Host.ZBS, _AGAIN): (-100,),
    (Host.ZBS, _TOKEN): (-124,),
    (Host.ZBS, _NOBODY): (-108, -118),
    (Host.ZBS, _PERSON): (-110, -114, -119, -134, -139, -140, -141),
    (Host.ZBS, _NOT_NOW): (-133,),
    (Host.ZBS, _OURS): (
        *(-107, -1091, -111, -112, -1121, -1122, -1123, -1124, -113, -1131, -1132, -116, -121, -122, -130),
        *(-132, -1471, -1472, -148, -149, -1491, -150, -153, -158, -159, -161, -162, -1201, -1202),
    ),
    (Host.ZBS, _STOPPED): (
        *(-101, -102, -103, -104, -105, -106, -109, -115, -117, -120, -123, -1241, -125, -126, -127, -128),
        *(-129, -131, -135, -1351, -136, -137, -138, -1381, -142, -143, -144, -1441, -145, -146, -147),
        *(-151, -152, -160),
    ),
}
_LINES: Final = [
    pytest.param(host, code, kind, id=f"{host.name}{code}")
    for (host, kind), codes in _WRITTEN.items()
    for code in codes
]


@pytest.mark.parametrize(("host", "code", "kind"), _LINES)
def test_every_code_has_the_class_that_the_vendors_table_gives_it(host: Host, code: int, kind: str) -> None:
    """Outcome, scope, alarm and refresh of each line, as written in the tables of both hosts."""
    line = FAULTS[host][code]
    remedy, scope, alarm, refresh = _CLASSES[kind]
    assert (line.remedy, line.alarm, line.refresh) == (remedy, alarm, refresh)
    assert scope is None or line.scope is scope
    assert (line.out_for is not None) is (kind == _NOBODY)


@pytest.mark.parametrize("host", [Host.OA, Host.ZBS])
def test_the_table_has_no_line_that_the_vendor_does_not_list(host: Host) -> None:
    """A code that is nowhere written would be one that we made up."""
    assert set(FAULTS[host]) == {code for (at, _), codes in _WRITTEN.items() if at is host for code in codes}


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
