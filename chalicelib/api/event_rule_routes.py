"""The routes of rule sheets."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from chalicelib.api import event_rule_rows, event_rules
from chalicelib.api.event_routes import APP_ID
from chalicelib.api.route import BODY, CALLER, Access, Doc, Param, Reply, Route
from chalicelib.errors import Conflict, InvalidRequest, NotFound, Unavailable
from chalicelib.events.rules import Rule, RuleSheet
from chalicelib.ruling import MOST_TRIED

_VERSION = Param(name="version", where="query", summary="A version; the current one by default.")
_DRY_RUN = Param(
    name="dry_run", where="query", summary="1 changes nothing and tells what would change.", values=("1", "true")
)
_LAST = Param(
    name="last",
    where="query",
    summary=f"How many of the newest stored events a dry run judges by the new rules, at most {MOST_TRIED}.",
)
_RULE_ID = Param(name="rule_id", where="path", summary="The id of the rule.")
_EVENT = Param(name="event", where="path", summary="The name of the event.")
_MAKES_A_VERSION = "The changed rules are the app's next version."
_EXAMPLE = RuleSheet(rules=(Rule(event="user_login", path="userId", type="integer", required=True),))


def rule_routes() -> Iterator[Route]:
    """Rules as sheets, and one by one as clients of the old service change them."""
    yield from _sheets()
    yield from _rows()


def _sheets() -> Iterator[Route]:
    yield Route(
        "/api/apps/{app_id}/rules",
        "POST",
        event_rules.upload,
        lambda: Doc(
            name="upload_rules",
            group="Events",
            summary="Replace an app's rules",
            details="The body is a rule sheet as JSON, or as text/csv with the columns eventName, eventPayload, "
            "dataType and, if wanted, required, condition and more (docs/event-rules.md), or as "
            "application/schema+json with a definition for each event. It becomes the next version "
            "in one transaction and judges events within seconds; a sheet that is the current one already makes no "
            "version. Every problem is told, those of a file by line.",
            access=Access.ACCOUNT,
            params=(APP_ID, _DRY_RUN, _LAST),
            request=RuleSheet,
            example=_EXAMPLE,
            replies={
                200: Reply(summary="Nothing was changed", body=event_rules.RulesChange),
                201: Reply(summary="The new version", body=event_rules.RulesChange),
            },
            refusals=(*BODY, *CALLER, NotFound, Conflict, Unavailable),
        ),
    )
    yield Route(
        "/api/apps/{app_id}/rules",
        "GET",
        event_rules.show,
        lambda: Doc(
            name="get_rules",
            group="Events",
            summary="An app's rules",
            access=Access.ACCOUNT,
            params=(APP_ID, _VERSION),
            replies={200: Reply(summary="The rules", body=event_rules.RulesView)},
            refusals=(*CALLER, NotFound, Unavailable),
        ),
    )
    yield Route(
        "/api/apps/{app_id}/rules/csv",
        "GET",
        event_rules.download,
        lambda: Doc(
            name="download_rules",
            group="Events",
            summary="An app's rules as a CSV file",
            access=Access.ACCOUNT,
            params=(APP_ID, _VERSION),
            replies={
                200: Reply(
                    summary="The file, which can be uploaded again",
                    media="text/csv; charset=utf-8",
                    headers={"Content-Disposition": "The file's name."},
                )
            },
            refusals=(*CALLER, NotFound, Unavailable),
        ),
    )
    yield Route(
        "/api/apps/{app_id}/rules/schema",
        "GET",
        event_rules.show_schema,
        lambda: Doc(
            name="get_rules_schema",
            group="Events",
            summary="An app's rules as JSON Schema",
            access=Access.ACCOUNT,
            params=(APP_ID, _VERSION),
            replies={200: Reply(summary="A document with a definition for each event", media=event_rules.SCHEMA)},
            refusals=(*CALLER, NotFound, Unavailable),
        ),
    )
    yield Route(
        "/api/apps/{app_id}/rules/versions",
        "GET",
        event_rules.versions,
        lambda: Doc(
            name="list_rule_versions",
            group="Events",
            summary="The versions of an app's rules",
            access=Access.ACCOUNT,
            params=(APP_ID,),
            replies={200: Reply(summary="The versions, newest first", body=event_rules.VersionList)},
            refusals=(*CALLER, NotFound, Unavailable),
        ),
    )
    yield Route(
        "/api/apps/{app_id}/rules/rollback",
        "POST",
        event_rules.roll_back,
        lambda: Doc(
            name="roll_back_rules",
            group="Events",
            summary="Have older rules judge events again",
            details="They become a new version, so that no version ever changes.",
            access=Access.ACCOUNT,
            params=(APP_ID,),
            request=event_rules.RollBack,
            example=event_rules.RollBack(version=1),
            replies={
                200: Reply(summary="They are the current ones already", body=event_rules.RulesChange),
                201: Reply(summary="The new version", body=event_rules.RulesChange),
            },
            refusals=(*BODY, *CALLER, NotFound, Conflict, Unavailable),
        ),
    )


def _rows() -> Iterator[Route]:
    path = "/app/{app_id}/validation-rules"
    yield Route(
        path,
        "GET",
        event_rule_rows.list_rows,
        lambda: Doc(
            name="list_validation_rules",
            group="Events",
            summary="An app's rules one by one",
            access=Access.ACCOUNT,
            params=(APP_ID,),
            replies={200: Reply(summary="The rules", body=event_rule_rows.RuleRows)},
            refusals=(*CALLER, NotFound, Unavailable),
        ),
    )
    yield Route(
        path,
        "POST",
        event_rule_rows.add,
        lambda: Doc(
            name="add_validation_rule",
            group="Events",
            summary="Add a rule",
            details=_MAKES_A_VERSION,
            access=Access.ACCOUNT,
            params=(APP_ID,),
            request=event_rule_rows.NewRow,
            example=event_rule_rows.NewRow(event_name="user_login", field_name="userId", data_type="integer"),
            replies={200: Reply(summary="The rule", body=event_rule_rows.RowAnswer)},
            refusals=(*BODY, *CALLER, NotFound, Conflict, Unavailable),
        ),
    )
    yield Route(
        path + "/{rule_id}",
        "PUT",
        event_rule_rows.change,
        lambda: Doc(
            name="change_validation_rule",
            group="Events",
            summary="Change a rule",
            details=f"What the body leaves out stays as it is. {_MAKES_A_VERSION}",
            access=Access.ACCOUNT,
            params=(APP_ID, _RULE_ID),
            request=event_rule_rows.RowChange,
            example=event_rule_rows.RowChange(is_required=True),
            replies={200: Reply(summary="The rule", body=event_rule_rows.RowAnswer)},
            refusals=(*BODY, *CALLER, NotFound, Conflict, Unavailable),
        ),
    )
    yield Route(path + "/{rule_id}", "DELETE", event_rule_rows.remove, _removing("a rule", _RULE_ID))
    yield Route(path + "/event/{event}", "DELETE", event_rule_rows.remove_event, _removing("an event's rules", _EVENT))
    yield Route(
        "/app/{app_id}/upload-rules",
        "POST",
        event_rule_rows.upload_form,
        lambda: Doc(
            name="upload_rules_as_before",
            group="Events",
            summary="Replace an app's rules by a CSV file",
            details="The file is the field csv_file of a form, or the body. The answer is JSON where the old service "
            "led back to its page.",
            access=Access.ACCOUNT,
            params=(APP_ID,),
            replies={200: Reply(summary="What has changed", body=event_rules.RulesChange)},
            refusals=(*BODY, *CALLER, NotFound, Conflict, Unavailable),
        ),
    )


def _removing(what: str, param: Param) -> Callable[[], Doc]:
    return lambda: Doc(
        name=f"remove_{param.name}s" if param is _EVENT else "remove_validation_rule",
        group="Events",
        summary=f"Remove {what}",
        details=_MAKES_A_VERSION,
        access=Access.ACCOUNT,
        params=(APP_ID, param),
        replies={200: Reply(summary="Removed", body=event_rule_rows.RowsRemoved)},
        refusals=(*CALLER, InvalidRequest, NotFound, Conflict, Unavailable),
    )
