"""The table of bounds: what one person, and all behind one key together, may have at once. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from agent.errors import AgentError
from shared.errors import ErrorCode
from shared.language import N_, _, decimal, ngettext

GIB = 1024**3


class Use(StrEnum):
    """What is counted."""

    upload = "upload"  # files that are being sent
    inspection = "inspection"  # files that are read, or wait for it
    plan = "plan"  # plans that are being made
    job = "job"  # jobs that have not ended
    stored = "stored"  # bytes of datasets


@dataclass(frozen=True, kw_only=True)
class Bound:
    """How much of one use there may be; and when somebody at the bound may come back."""

    use: Use
    person: int
    key: int
    again: str


BOUNDS: dict[Use, Bound] = {
    bound.use: bound
    for bound in (
        Bound(use=Use.upload, person=4, key=16, again=N_("Send the next one when one of them has arrived.")),
        Bound(use=Use.inspection, person=6, key=48, again=N_("Ask again when one of them has been read.")),
        Bound(use=Use.plan, person=4, key=32, again=N_("Ask again when one of them is made.")),
        Bound(use=Use.job, person=20, key=200, again=N_("Start the next one when one has ended, or cancel one.")),
        Bound(
            use=Use.stored,
            person=20 * GIB,
            key=200 * GIB,
            again=N_("/delete unused removes those that nobody used for long. Then send it again."),
        ),
    )
}


@dataclass(frozen=True, kw_only=True)
class Party:
    """Who takes something up, as far as it is counted."""

    person: tuple[str, str] | None  # platform and id; None: the owner at the machine
    key: str  # the name of the key that the request came with
    platforms: tuple[str, ...] | None  # that the key is for; None: all
    unbounded: bool = False  # the owner of the machine, who bounds others


def check(use: Use, party: Party, *, of_person: int, of_key: int, more: int = 1) -> None:
    """Raise AgentError where `more` would be too much beside what a person, or all behind one key, have already."""
    bound = BOUNDS[use]
    if party.unbounded:
        return
    if of_person + more > bound.person:
        raise _refusal(bound, of_person, bound.person, yours=True)
    if of_key + more > bound.key:
        raise _refusal(bound, of_key, bound.key, yours=False)


def _refusal(bound: Bound, have: int, most: int, *, yours: bool) -> AgentError:
    if bound.use is Use.stored:
        sizes = {"have": decimal(have / GIB, 1), "most": decimal(most / GIB, 0)}
        said = (
            _("You have {have} GiB of datasets here, and {most} GiB is the most for one person.", **sizes)
            if yours
            else _("There are {have} GiB of datasets from here, and {most} GiB is the most.", **sizes)
        )
        return AgentError(f"{said} {_(bound.again)}", code=ErrorCode.too_much_stored)
    what = _counted(bound.use, have)
    said = (
        _("You have {what}, and {most} is the most for one person at a time.", what=what, most=most)
        if yours
        else _("There are {what} from here, and {most} is the most at a time.", what=what, most=most)
    )
    return AgentError(f"{said} {_(bound.again)}", code=ErrorCode.too_much_at_once)


def _counted(use: Use, n: int) -> str:
    match use:
        case Use.upload:
            return ngettext("{n} file on its way", "{n} files on their way", n)
        case Use.inspection:
            return ngettext("{n} file that is read or waits for it", "{n} files that are read or wait for it", n)
        case Use.plan:
            return ngettext("{n} plan in the making", "{n} plans in the making", n)
        case _:
            return ngettext("{n} job that has not ended", "{n} jobs that have not ended", n)
