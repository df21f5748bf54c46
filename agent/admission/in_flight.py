"""What is in flight now: counted when it is let in, given back when it has ended."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from agent.admission.bounds import Party, Use, check


class InFlight:
    """Counts by person and by key. Of this process alone: a restart ends what was in flight."""

    def __init__(self) -> None:
        self._counts: Counter[Hashable] = Counter()

    def enter(self, use: Use, party: Party) -> Callable[[], None]:
        """Let one more in, and return what notes its end, once. Raises too_much_at_once."""
        entries = ((use, "person", party.person), (use, "key", party.key))
        of_person, of_key = (self._counts[entry] for entry in entries)
        check(use, party, of_person=of_person, of_key=of_key)
        self._counts.update(entries)
        inside = list(entries)

        def leave() -> None:
            self._counts.subtract(inside)
            self._counts += Counter()  # forgets what stands at zero
            inside.clear()

        return leave

    @contextmanager
    def inside(self, use: Use, party: Party) -> Iterator[None]:
        """Count one more as long as the block lasts. Raises too_much_at_once."""
        leave = self.enter(use, party)
        try:
            yield
        finally:
            leave()
