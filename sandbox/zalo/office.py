"""One Official Account at the vendor's: who talks to it, what is approved, what the rules allow."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sandbox.feed import Feed, Level
from sandbox.moments import Clock
from sandbox.zalo.errors import Refused, invalid
from sandbox.zalo.messages import Content
from sandbox.zalo.person import Bubble, Person
from sandbox.zalo.templates import Template
from sandbox.zalo.tokens import Tokens

# docs/facts.md#zalo-windows (OA page "conditions for consultation messages": free up to 48 hours after the
# person's last interaction, billed up to 7 days, refused after that).
FREE_FOR: Final = timedelta(hours=48)
OPEN_FOR: Final = timedelta(days=7)


@dataclass(slots=True)
class Office:
    """The account's state. `on_put` hears of every message that reached a phone."""

    clock: Clock
    feed: Feed
    tokens: Tokens
    app_secret: str
    oa_id: str
    oa_name: str
    require_proof: bool
    daily_quota: int
    on_put: Callable[[Person, Bubble], None]
    people: dict[str, Person] = field(default_factory=dict)
    templates: dict[str, Template] = field(default_factory=dict)
    admins: set[str] = field(default_factory=set)
    zbs_sent: int = 0

    def known(self, user_id: str) -> Person:
        """Return this person. Raises Refused for an id that is nobody's."""
        person = self.people.get(user_id)
        if person is None:
            raise invalid("user_id")
        return person

    def at_phone(self, phone: str) -> Person:
        """Return who has this number. Raises Refused when it is not on Zalo."""
        for person in self.people.values():
            if person.phone == phone:
                return person
        raise Refused(-118)

    def author(self, message_id: str) -> Person:
        """Return who wrote this message to the account."""
        for person in self.people.values():
            if any(bubble.message_id == message_id and not bubble.from_oa for bubble in person.bubbles):
                return person
        raise invalid("message_id")

    def approved(self, template_id: object) -> Template:
        """Return an approved template."""
        template = self.templates.get(str(template_id))
        if template is None:
            raise Refused(-109)
        if not template.approved:
            raise Refused(-131)
        return template

    def window(self, person: Person) -> bool:
        """Return whether a consultation message is billed now. Raises Refused when it may not be sent."""
        self.reachable(person)
        if person.last_interaction is None:
            raise Refused(-232)
        age = self.clock() - person.last_interaction
        if age > OPEN_FOR:
            raise Refused(-230)
        return age > FREE_FOR

    def reachable(self, person: Person) -> None:
        """Raise Refused if this person's phone takes nothing from the account."""
        if person.refusal is not None:
            raise Refused(person.refusal)

    def spend_daily_quota(self) -> int:
        """Count one ZBS message and return how many are left today."""
        if self.zbs_sent >= self.daily_quota:
            raise Refused(-144)
        self.zbs_sent += 1
        return self.daily_quota - self.zbs_sent

    def put(self, person: Person, content: Content, *, tracking_id: str = "", billed: bool = False) -> Bubble:
        """Show a message on the person's phone."""
        bubble = person.receive(content, at=self.clock(), tracking_id=tracking_id, billed=billed)
        first = content.text.strip().partition("\n")[0][:80]
        text = f"Zalo tới {person.name}: “{first}”"
        self.feed.report("zalo.out", text, level=Level.GOOD, ref=person.user_id)
        self.on_put(person, bubble)
        return bubble
