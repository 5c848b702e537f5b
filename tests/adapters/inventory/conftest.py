"""The modelled house of the scenarios."""

from tests.scenario.conftest import empty_house, held_house

__all__ = ["empty_house", "held_house"]
