"""Signing up: from an address to an account, and all that stands in the way."""

from __future__ import annotations

import pytest

from chalicelib.accounts.codes import Purpose, digest
from chalicelib.accounts.passwords import verify_password
from chalicelib.accounts.tokens import issue_token
from chalicelib.db.accounts import Accounts
from chalicelib.db.connect import Database
from chalicelib.jobs.store import Job
from chalicelib.model import Caller
from tests.api.calls import Api, details, document
from tests.api.published import broken, published
from tests.db.test_database import query
from tests.db.visitors import ANN, OTHER_PASSWORD, PASSWORD, Visitor, member, problem, visitor
from tests.doubles import SECRET
from tests.lines import Reader

NOW = 1_750_000_000
WRONG = "otp is wrong, used or expired; ask for a new one"


@pytest.fixture
def ann(database: Database) -> Visitor:
    return visitor(database)


def test_address_becomes_an_account_by_the_code_of_its_mail(ann: Visitor, database: Database) -> None:
    asked = ann.ask("/api/auth/register", email=" Ann@Example.org ")
    assert (asked.status, asked.headers["Cache-Control"]) == (200, "no-store")
    assert document(asked) == {"success": True, "message": "A code was mailed to the address", "email": ANN}
    made = ann.verify(ann.code(), username=" Ann ")
    account = Accounts(database).find(ANN)
    assert account is not None
    user = {"id": account.id, "email": ANN, "name": "Ann", "username": "Ann", "role": "student"}
    assert (made.status, document(made)) == (
        200,
        {"success": True, "message": "The account is ready; log in", "user": user},
    )
    assert verify_password(account.password_hash, PASSWORD)
    assert ann.subjects() == [(ANN, "Welcome to Sluice")]
    assert ann.login().status == 200


def test_old_names_take_the_old_bodies_and_answer_as_published(ann: Visitor) -> None:
    openapi = published(ann.api)
    asked = document(ann.ask("/auth/api/register", email=ANN, next="/dashboard"))
    assert (asked["success"], asked["warnings"]) == (True, ["/next is not known and was ignored"])
    code = ann.code()
    sent = {"email": ANN, "otp": code, "password": PASSWORD, "password_confirm": PASSWORD, "csrf": "x"}
    made = document(ann.ask("/auth/api/verify-otp", **sent))
    assert (made["success"], made["user"]["username"]) == (True, "ann")
    logged_in = document(ann.ask("/auth/api/login", email=ANN, password=PASSWORD, remember=True))
    assert (logged_in["success"], logged_in["user"]["email"], bool(logged_in["token"])) == (True, ANN, True)
    published_as = [("RegisterResult", asked), ("VerifyResult", made), ("LoginResult", logged_in)]
    assert [broken(openapi, name, body) for name, body in published_as] == [[], [], []]


def test_code_may_be_typed_with_spaces(ann: Visitor) -> None:
    code = ann.register()
    assert ann.verify(f" {code[:3]} {code[3:]}").status == 200


def test_unknown_fields_are_refused_under_the_new_names(ann: Visitor) -> None:
    answer = ann.ask("/api/auth/register", email=ANN, next="/dashboard")
    assert (answer.status, details(answer)) == (400, [("/next", "is not known")])
    assert document(answer)["success"] is False


def test_all_that_is_wrong_is_said_at_once_and_costs_no_try(ann: Visitor, dsn: str) -> None:
    ann.register()
    answer = ann.verify("12345", email="ann", password="abc", password_confirm="abd", username="A\nB")
    assert (answer.status, document(answer)["success"]) == (400, False)
    assert details(answer) == [
        ("/email", "must be an e-mail address like ann@example.org, in ASCII, got 'ann'"),
        ("/otp", "must be the six digits of the mail"),
        ("/password", "must have 8 to 128 characters, got 3"),
        ("/password", "must have an upper-case letter"),
        ("/password", "must have a digit"),
        ("/password", "must have one of !@#$%^&*"),
        ("/password_confirm", "must be the same as password"),
        ("/username", "must be one line of printable characters"),
    ]
    assert query(dsn, "SELECT tries FROM one_time_codes") == [(0,)]


def test_taken_address_is_answered_like_a_free_one_and_its_owner_is_told(database: Database) -> None:
    ann = member(database)
    free = ann.ask("/api/auth/register", email="bob@example.org")
    ann.mails()
    taken = ann.ask("/api/auth/register", email=ANN)
    assert taken.status == free.status == 200
    assert document(taken) == document(free) | {"email": ANN}
    assert taken.headers == free.headers
    (mail,) = ann.mails()
    assert (mail.to, mail.subject) == (ANN, "You have an account at Sluice")
    assert not any(char.isdigit() for char in mail.text)


@pytest.mark.parametrize(
    ("path", "purpose", "email"), [("register", "sign_up", ANN), ("forgot", "reset", "eve@example.org")]
)
def test_address_whose_mail_has_no_code_has_none_that_would_open_it(
    database: Database, dsn: str, path: str, purpose: Purpose, email: str
) -> None:
    ann = member(database)
    assert ann.ask(f"/api/auth/{path}", email=email).status == 200
    ((stored,),) = query(dsn, f"SELECT digest FROM one_time_codes WHERE purpose = '{purpose}' AND address = '{email}'")
    made = (f"{n * 142_857 % 10**6:06d}" for n in range(100))
    assert stored not in {digest(SECRET, purpose, email, code) for code in made}


def test_account_that_was_there_is_not_changed_by_any_code(database: Database, dsn: str) -> None:
    ann = member(database)
    before = query(dsn, "SELECT users::text FROM users")
    assert ann.ask("/api/auth/register", email=ANN).status == 200
    assert ann.verify("000001", password=OTHER_PASSWORD, password_confirm=OTHER_PASSWORD).status == 400
    assert query(dsn, "SELECT users::text FROM users") == before


def test_account_made_between_mail_and_code_makes_the_code_useless(ann: Visitor, database: Database) -> None:
    code = ann.register()
    Accounts(database).put(email=ANN, name="Ann", password_hash="hash", role="admin")
    assert ann.verify(code).status == 400
    account = Accounts(database).find(ANN)
    assert account is not None
    assert (account.password_hash, account.role, ann.mails()) == ("hash", "admin", [])


def refused(ann: Visitor, case: str) -> object:
    """What is answered to a code that is good for nothing, for the reason that the case names."""
    code = ann.register()
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    match case:
        case "wrong":
            code = wrong
        case "expired":
            ann.advance(7 * 60)
        case "replaced":
            ann.advance(60)
            ann.register()
        case "used":
            assert ann.verify(code).status == 200
        case "spent":
            assert [ann.verify(wrong).status for _ in range(5)] == [400] * 5
        case "of another address":
            return problem(ann.verify(code, email="bob@example.org"))
        case "to reset":
            return problem(ann.reset(code, password=PASSWORD))
    return problem(ann.verify(code))


@pytest.mark.parametrize("case", ["wrong", "expired", "replaced", "used", "spent", "of another address", "to reset"])
def test_every_code_that_opens_nothing_is_answered_word_for_word_the_same(ann: Visitor, case: str) -> None:
    assert refused(ann, case) == {
        "type": "urn:sluice:problem:invalid-request",
        "title": "Invalid request",
        "status": 400,
        "detail": "/otp: is wrong, used or expired; ask for a new one",
        "error": "/otp: is wrong, used or expired; ask for a new one",
        "errors": [{"pointer": "/otp", "detail": "is wrong, used or expired; ask for a new one"}],
        "success": False,
        "message": WRONG,
    }


def test_code_is_good_to_the_last_second_and_the_last_try(ann: Visitor) -> None:
    code = ann.register()
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    assert [ann.verify(wrong).status for _ in range(4)] == [400] * 4
    ann.advance(7 * 60 - 1)
    assert ann.verify(code).status == 200


def test_second_mail_within_a_minute_is_429_whoever_the_address_is_of(database: Database) -> None:
    ann = member(database)
    answers = []
    for email in (ANN, "bob@example.org"):
        assert ann.ask("/api/auth/register", email=email).status == 200
        ann.advance(18.5)
        answers.append(ann.ask("/api/auth/register", email=email))
        ann.advance(41.5)
    taken, free = answers
    assert (free.status, free.headers["Retry-After"]) == (429, "42")
    assert problem(taken) == problem(free)
    assert problem(free)["message"] == "a mail went to this address a moment ago; try again in 42 s"
    assert ann.ask("/api/auth/register", email=ANN).status == 200
    assert len(ann.mails()) == 3


def test_mails_to_one_address_for_two_purposes_do_not_wait_for_each_other(ann: Visitor) -> None:
    assert ann.ask("/api/auth/register", email=ANN).status == 200
    assert ann.ask("/api/auth/forgot", email=ANN).status == 200
    assert ann.ask("/api/auth/forgot", email=ANN).status == 429


def test_network_that_asks_for_many_mails_has_to_wait_and_others_need_not(ann: Visitor) -> None:
    asked = [ann.ask("/api/auth/register", email=f"{n}@example.org").status for n in range(31)]
    assert asked == [200] * 30 + [429]
    ann.api.client = "203.0.113.9"
    assert ann.ask("/api/auth/register", email="31@example.org").status == 200


def test_mail_that_could_not_be_queued_leaves_nothing_and_is_not_counted(ann: Visitor, dsn: str) -> None:
    ann.queues.is_away = True
    answer = ann.ask("/api/auth/register", email=ANN)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert query(dsn, "SELECT count(*) FROM one_time_codes") == [(0,)]
    ann.queues.is_away = False
    assert ann.verify(ann.register()).status == 200


def test_code_outlives_a_newer_one_that_could_not_be_mailed(ann: Visitor) -> None:
    code = ann.register()
    ann.advance(60)
    ann.queues.is_away = True
    assert ann.ask("/api/auth/register", email=ANN).status == 503
    ann.queues.is_away = False
    assert ann.verify(code).status == 200


def test_account_whose_welcome_could_not_be_queued_is_not_made_and_its_code_stays_good(ann: Visitor, dsn: str) -> None:
    code = ann.register()
    ann.queues.is_away = True
    # More often than a code may be tried.
    assert [ann.verify(code).status for _ in range(6)] == [503] * 6
    assert query(dsn, "SELECT count(*) FROM users") == [(0,)]
    ann.queues.is_away = False
    assert ann.verify(code).status == 200
    assert ann.subjects() == [(ANN, "Welcome to Sluice")]


@pytest.mark.parametrize(
    ("settings", "detail"),
    [
        ({"mail_from": ""}, "mail is not configured: TOKEN_SECRET or MAIL_FROM is empty"),
        ({"token_secret": "", "mail_from": "a@b.test"}, "mail is not configured: TOKEN_SECRET or MAIL_FROM is empty"),
        ({"mail_from": "a@b.test"}, "the database cannot be reached"),
    ],
)
def test_sign_up_without_what_it_needs_is_503(settings: dict[str, str], detail: str) -> None:
    api = Api(**settings, database_url="postgresql://sluice@127.0.0.1:9/sluice")
    answer = api.call("POST", "/api/auth/register", {"email": ANN})
    assert (answer.status, document(answer)["message"]) == (503, detail)


def test_neither_code_nor_password_nor_address_is_logged_or_readable_or_stored_in_clear(
    ann: Visitor, dsn: str, written: Reader
) -> None:
    code = ann.register()
    job_id = next(iter(ann.api.parts.store._jobs))
    made = ann.verify(code)
    ann.mails()
    lines = str(written())
    assert '"account_mail"' in lines.replace("'", '"')
    assert [secret in lines for secret in (code, PASSWORD, ANN)] == [False] * 3
    assert PASSWORD not in str(query(dsn, "SELECT users::text FROM users"))
    assert code not in str(made)
    admin = issue_token(Caller("7", "admin"), secret=SECRET, now_s=NOW, ttl_s=60)
    assert ann.api.call("GET", f"/api/tasks/{job_id}").status == 404
    # Admins see that there is a mail, and nothing of what is in it.
    seen = document(ann.api.call("GET", f"/api/tasks/{job_id}", authorization=f"Bearer {admin}"))
    assert seen["kind"] == "account_mail"
    assert [secret in str(seen) for secret in (code, PASSWORD, ANN)] == [False] * 3
    assert ann.api.call("GET", f"/api/tasks/{job_id}/download", authorization=f"Bearer {admin}").status == 404


def test_code_is_stored_in_postgres_as_a_digest_only(ann: Visitor, dsn: str) -> None:
    code = ann.register()
    ((row,),) = query(dsn, "SELECT one_time_codes::text FROM one_time_codes")
    assert code not in str(row)


def test_mail_with_a_code_is_stored_for_a_day_and_shown_to_nobody(ann: Visitor) -> None:
    code = ann.register()
    (job,) = ann.api.parts.store._jobs.values()
    assert code in str(ann.api.parts.store.request_of(job.id))
    assert (job.owner, job.expires_s - job.created_ms // 1000) == ("account-mail", 60)
    waiting = visitor_job(ann)
    assert waiting.expires_s - waiting.created_ms // 1000 == 24 * 3600


def visitor_job(ann: Visitor) -> Job:
    """The job of a mail that is not sent yet."""
    assert ann.ask("/api/auth/forgot", email=ANN).status == 200
    return list(ann.api.parts.store._jobs.values())[-1]


def test_codes_that_are_over_are_removed_as_others_are_issued(ann: Visitor, dsn: str) -> None:
    for n in range(3):
        ann.register(f"{n}@example.org")
    ann.advance(7 * 60)
    ann.register()
    assert query(dsn, "SELECT address FROM one_time_codes") == [(ANN,)]


def test_database_that_goes_away_after_the_mail_was_queued_makes_no_code_valid(ann: Visitor, dsn: str) -> None:
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    ann.queues.then = lambda: query(dsn, f"{cut} AND pid <> pg_backend_pid()")
    assert ann.ask("/api/auth/register", email=ANN).status == 503
    ann.queues.then = None
    assert query(dsn, "SELECT count(*) FROM one_time_codes") == [(0,)]
    assert ann.verify(ann.code()).status == 400
    assert ann.verify(ann.register()).status == 200


def test_account_that_the_database_lost_after_its_welcome_was_queued_is_made_by_the_same_code(
    ann: Visitor, dsn: str
) -> None:
    code = ann.register()
    cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    ann.queues.then = lambda: query(dsn, f"{cut} AND pid <> pg_backend_pid()")
    assert ann.verify(code, username="Ann").status == 503
    ann.queues.then = None
    assert ann.verify(code, username="Anna").status == 200
    assert ann.subjects() == [(ANN, "Welcome to Sluice")]
