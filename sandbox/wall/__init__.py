"""The phone wall: one page that shows what everybody's phone shows, and what travels between them."""

from sandbox.wall.wall import ClockControl, PlaceOrder, Wall

__all__ = ["ClockControl", "PlaceOrder", "Wall"]
