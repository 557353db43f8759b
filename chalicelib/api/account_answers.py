"""What the routes of sign-up, login and forgotten passwords have in common: bodies, and answers that say `success`."""

from __future__ import annotations

from functools import wraps
from typing import Annotated, TypeVar

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from chalicelib.accounts.addresses import LONGEST, read_address
from chalicelib.api.body import read_body
from chalicelib.api.http import Answer, Call, View
from chalicelib.api.paging import NO_STORE
from chalicelib.api.route import Doc
from chalicelib.db.accounts import Account
from chalicelib.errors import FieldError, InvalidRequest, SluiceError

T = TypeVar("T", bound=Struct)

# Under these names the old service's clients call, whose bodies may have more in them than is known here.
_OLD = "/auth/api/"
Success = Annotated[bool, Meta(description="true; in a refusal false.")]
Said = Annotated[str, Meta(description="What was done, or why not, for people.")]
Email = Annotated[str, Meta(description="The account's address; case does not matter.", max_length=LONGEST)]
Password = Annotated[
    str,
    Meta(
        description="8 to 128 characters, of them an upper-case and a lower-case letter, a digit and one of !@#$%^&*."
    ),
]
Again = Annotated[str, Meta(description="The same password again.")]
Code = Annotated[str, Meta(description="The six digits of the mail.", max_length=20)]
Ignored = Annotated[list[str] | UnsetType, Meta(description="Fields that are not known and were ignored.")]


class Done(Struct, frozen=True, kw_only=True):
    """What was asked for is done, or under way by mail."""

    success: Success = True
    message: Said
    warnings: Ignored = UNSET


class User(Struct, frozen=True, kw_only=True):
    """An account as its owner sees it."""

    id: str
    email: str
    name: str
    username: Annotated[str, Meta(description="The same as `name`, for clients of the old service.")]
    role: Annotated[str, Meta(description="student, instructor or admin.")]


def show(account: Account) -> User:
    """The account without what is secret or only for us."""
    return User(id=account.id, email=account.email, name=account.name, username=account.name, role=account.role)


def telling(view: View) -> View:
    """The view, whose refusals also say `success` and `message`, as clients of the old service read them."""

    @wraps(view)
    def told(call: Call) -> Answer:
        try:
            answer = view(call)
        except SluiceError as error:
            error.members = {**error.members, "success": False, "message": _message(error)}
            raise
        return msgspec.structs.replace(answer, headers={**NO_STORE, **answer.headers})

    return told


def read_account_body(call: Call, type_: type[T]) -> tuple[T, list[str] | UnsetType]:
    """The body, and the unknown fields that were ignored; they are refused under the routes' new names."""
    request, warnings = read_body(call, type_, lenient=call.path.startswith(_OLD))
    return request, list(warnings) or UNSET


def find_address_faults(text: str) -> list[FieldError]:
    """What is wrong with an address that mail is to go to."""
    if read_address(text) is not None:
        return []
    return [FieldError("/email", f"must be an e-mail address like ann@example.org, in ASCII, got {text[:80]!r}")]


def find_password_faults(password: str, again: str) -> list[FieldError]:
    """What is wrong with a new password, all at once."""
    from chalicelib.accounts.passwords import find_faults

    faults = [FieldError("/password", fault) for fault in find_faults(password)]
    return faults + ([] if password == again else [FieldError("/password_confirm", "must be the same as password")])


def refuse(faults: list[FieldError]) -> None:
    """Raises InvalidRequest if there are any."""
    if faults:
        raise InvalidRequest(faults)


def under_both_names(name: str, doc: Doc, path: str) -> dict[str, Doc]:
    """The description of a route and of its old name, which has `path` for the new one."""
    details = f"The old service's name of `{path}`: unknown fields are ignored and listed in `warnings`."
    old = msgspec.structs.replace(
        doc, name=f"{doc.name}_by_its_old_name", summary=f"{doc.summary} (old name)", details=details
    )
    return {name: doc, f"old_{name}": old}


def _message(error: SluiceError) -> str:
    if not isinstance(error, InvalidRequest):
        return error.detail
    return "; ".join(f"{each.pointer.strip('/')} {each.detail}".strip() for each in error.errors)
