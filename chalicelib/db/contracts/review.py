"""What auditors look at first in the contracts of one version: who got most of it, and what lies near thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.db.contracts.current import CurrentVersion
from chalicelib.db.contracts.fragments import fragment
from chalicelib.db.contracts.matching import conditions, values_of
from chalicelib.db.contracts.scope import opened
from chalicelib.db.contracts.statements import Statement, run
from chalicelib.search.bunching import Bunching, BunchingRequest, describe_bunching, zones
from chalicelib.search.concentration import (
    Concentration,
    ConcentrationRequest,
    SupplierTotal,
    Whole,
    describe_concentration,
    needed,
)

if TYPE_CHECKING:
    from chalicelib.db.connect import Database


class ContractReview:
    """Answers requests that have passed their check; raises Unavailable, and NotFound before the first import."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._current = CurrentVersion(database)

    def concentration(self, request: ConcentrationRequest) -> Concentration:
        """How much went to how few."""
        return self._current.ask(lambda version: self.concentration_in(version, request))

    def concentration_in(self, version: int, request: ConcentrationRequest) -> Concentration:
        """The same in a version."""
        with opened(self._database, version, request) as (cursor, scope):
            text = fragment("concentration", version, conditions=conditions(scope))
            rows = run(cursor, Statement(text, values_of(scope) | {"most": needed(request.top)}))
        first = rows[0]
        whole = Whole(
            suppliers=first["suppliers"], awards=first["all_awards"], total=first["all_total"], squares=first["squares"]
        )
        largest = [
            SupplierTotal(label=row["label"], awards=row["awards"], total=row["total"])
            for row in rows
            if row["awards"] is not None
        ]
        return describe_concentration(whole, largest, top=request.top, version=version)

    def bunching(self, request: BunchingRequest) -> Bunching:
        """What lies near thresholds."""
        return self._current.ask(lambda version: self.bunching_in(version, request))

    def bunching_in(self, version: int, request: BunchingRequest) -> Bunching:
        """The same in a version."""
        wanted = zones(request)
        values = {
            "places": list(range(len(wanted))),
            "edges": [f"{{{','.join(map(str, each.edges))}}}" for each in wanted],
        }
        with opened(self._database, version, request) as (cursor, scope):
            text = fragment("bunching", version, conditions=conditions(scope))
            rows = run(cursor, Statement(text, values_of(scope) | values))
        return describe_bunching(request, {(row["place"], row["zone"]): row["awards"] for row in rows}, version)
