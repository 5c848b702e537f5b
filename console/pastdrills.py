"""What kept evidence tells of earlier drills. Asks nobody, and knows no screen."""

from __future__ import annotations

import json
from collections.abc import Iterable

from console.report.keeping import documents
from engine.errors import PermanentError
from engine.text.ages import to_come
from house.model import BackedUpClaim, House
from rehearsal.measuring import forecast_of, with_egress
from rehearsal.outcome import Forecast, from_json
from rehearsal.past import Past, past_of


def past_drills(house: House, now: float) -> Past:
    """What the kept evidence tells of drills until `now` (epoch seconds); what cannot be read tells nothing."""
    found = []
    for _, document in documents(house.state_dir):
        try:
            if document.get("drill") is not None:
                found.append(from_json(json.dumps(document["drill"])))
        except PermanentError:
            continue
    return past_of((one for one in found if not to_come(one.started, now)), simulated=house.simulated)


def forecast_by_drills(house: House, claims: Iterable[BackedUpClaim], now: float) -> Forecast:
    """How long a recovery of these claims will take and what it fetches, by what drills have measured."""
    wanted, past = tuple(claims), past_drills(house, now)
    found = forecast_of((claim.key for claim in wanted), past.took, house.limits)
    return with_egress(found, wanted, past.fetched, house.rehearsal.objectives.prices)
