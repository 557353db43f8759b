"""One job for identical requests: who joins, what each sees, and what a cancel does to the others."""

from __future__ import annotations

import msgspec
import pytest

from chalicelib.errors import KeyReused, Unavailable
from chalicelib.jobs import sharing
from chalicelib.jobs.kind import AnyKind, Cache, Progress
from chalicelib.jobs.queue import Delivery, Message
from chalicelib.jobs.sharing import folded
from chalicelib.jobs.state import State
from chalicelib.jobs.store import Found, Job
from chalicelib.jobs.submit import Asker, submit
from chalicelib.jobs.worker import Worker
from tests.doubles import EchoRequest, EchoResult, MemoryEngine, echo_kind, registry

HOUR_S = 3600


class Shared(MemoryEngine):
    """An engine with one kind that shares; `version` is its data's, `runs` is what was run, `during` interferes."""

    def __init__(self, *, across_accounts: bool = True) -> None:
        super().__init__()
        self.version = "1"
        self.runs: list[str] = []
        self.during: list[Job] = []
        cache = Cache(canonical=folded, version=lambda parts: self.version, across_accounts=across_accounts)
        self.kind: AnyKind = echo_kind(self._run, cache=cache, keep_s=HOUR_S)

    def _run(self, request: EchoRequest, progress: Progress) -> EchoResult:
        self.runs.append(request.text)
        if request.text == "broken":
            raise ValueError("broken")
        for task in self.during:
            sharing.cancel(self.engine, task)
            self.clock.advance(2)
            progress(0.5, "half")
        return EchoResult(request.text)

    def ask(self, text: str = "hello", *, owner: str = "7", key: str = "") -> Job:
        return submit(self.engine, self.kind, EchoRequest(text), Asker(owner=owner, key=key)).job

    def work(self) -> None:
        """Settles every message that waits."""
        worker = Worker(self.engine, registry(self.kind), "simulations")
        while sent := self.queues.sent.get("simulations"):
            worker.settle([Delivery("message", msgspec.json.encode(sent.popleft()).decode(), "receipt")])

    def see(self, job: Job) -> Found:
        found = sharing.look(self.engine, job.id)
        assert found is not None
        return found

    def states(self, *jobs: Job) -> list[str]:
        return [self.see(job).job.state.value for job in jobs]

    def cancel(self, job: Job) -> State:
        return sharing.cancel(self.engine, self.see(job).job).state


@pytest.fixture
def shared() -> Shared:
    return Shared()


def test_identical_requests_are_run_once_and_each_has_a_task_of_its_own(shared: Shared) -> None:
    first, second, third = shared.ask("Hello"), shared.ask("  hello ", owner="8"), shared.ask("HELLO", owner="8")
    assert len({first.id, second.id, third.id}) == 3
    shared.work()
    assert shared.runs == ["Hello"]
    for job, owner in ((first, "7"), (second, "8"), (third, "8")):
        found = shared.see(job)
        assert (found.job.id, found.job.owner, found.job.state) == (job.id, owner, State.SUCCESS)
        assert found.result == b'{"text":"Hello","warnings":[]}'


def test_other_requests_and_other_versions_are_jobs_of_their_own(shared: Shared) -> None:
    shared.ask("hello")
    shared.ask("bye")
    shared.version = "2"
    shared.ask("hello")
    shared.work()
    assert shared.runs == ["hello", "bye", "hello"]


def test_account_shares_with_itself_alone_unless_the_kind_says_otherwise() -> None:
    shared = Shared(across_accounts=False)
    for owner in ("7", "7", "8", "", ""):
        shared.ask(owner=owner)
    shared.work()
    assert len(shared.runs) == 3


def test_request_that_its_kind_does_not_share_is_run_each_time() -> None:
    shared = Shared()
    kind = echo_kind(shared._run, cache=Cache(canonical=lambda request: None, version=lambda parts: ""))
    jobs = [submit(shared.engine, kind, EchoRequest("hello"), Asker()).job for _ in range(2)]
    assert [job.cache_key for job in jobs] == ["", ""]
    assert len(shared.queues.sent["simulations"]) == 2


def test_answer_of_an_identical_request_is_there_from_its_end_until_it_expires(shared: Shared) -> None:
    def answer(text: str) -> bytes | None:
        return sharing.answered(shared.engine, shared.kind, EchoRequest(text), "8")

    job = shared.ask()
    assert answer("hello") is None
    shared.work()
    assert (answer(" HELLO"), answer("bye")) == (b'{"text":"hello","warnings":[]}', None)
    shared.clock.advance(shared.see(job).job.expires_s - shared.clock.now())
    assert answer("hello") is None


def test_error_is_no_answer(shared: Shared) -> None:
    shared.ask("broken")
    shared.work()
    assert sharing.answered(shared.engine, shared.kind, EchoRequest("broken"), "7") is None


def test_finished_job_answers_at_once(shared: Shared) -> None:
    shared.ask()
    shared.work()
    late = shared.ask(owner="8")
    assert (late.state, late.progress) == (State.SUCCESS, 100)
    assert shared.see(late).result == b'{"text":"hello","warnings":[]}'
    assert not shared.queues.sent["simulations"]


def test_shared_result_is_readable_for_its_kinds_time_however_late_it_is_joined(shared: Shared) -> None:
    shared.ask()
    shared.work()
    shared.clock.advance(HOUR_S)
    late = shared.ask(owner="8")
    assert (late.state, late.expires_s) == (State.SUCCESS, int(shared.clock.now()) + HOUR_S)
    shared.clock.advance(1)
    assert shared.ask(owner="8").state is State.PENDING
    shared.work()
    assert len(shared.runs) == 2


@pytest.mark.parametrize("owner", ["7", "8"])
def test_failure_is_seen_by_all_and_joined_by_nobody(shared: Shared, owner: str) -> None:
    first, second = shared.ask("broken"), shared.ask("broken", owner="8")
    shared.work()
    assert shared.states(first, second) == ["FAILURE", "FAILURE"]
    again = shared.ask("broken", owner=owner)
    assert again.state is State.PENDING
    # The newer job stands for the request now.
    assert shared.ask("broken").follows == again.id


def test_follower_that_cancels_leaves_the_others_alone(shared: Shared) -> None:
    first, second, third = (shared.ask(owner=owner) for owner in ("7", "8", "9"))
    assert shared.cancel(second) is State.REVOKED
    assert shared.cancel(second) is State.REVOKED
    shared.work()
    assert shared.states(first, second, third) == ["SUCCESS", "REVOKED", "SUCCESS"]
    assert shared.see(second).result is None


def test_owner_that_cancels_is_detached_from_a_job_that_others_follow(shared: Shared) -> None:
    first, second = shared.ask(), shared.ask(owner="8")
    assert shared.cancel(first) is State.REVOKED
    assert shared.states(first, second) == ["REVOKED", "PENDING"]
    shared.work()
    assert shared.states(first, second) == ["REVOKED", "SUCCESS"]
    assert shared.see(first).result is None


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)])
def test_last_one_to_cancel_stops_a_waiting_job(shared: Shared, order: tuple[int, ...]) -> None:
    jobs = [shared.ask(owner=owner) for owner in ("7", "8", "9")]
    for number in order:
        shared.cancel(jobs[number])
    shared.work()
    assert shared.runs == []
    assert shared.states(*jobs) == ["REVOKED"] * 3
    found = shared.store.find(jobs[0].id)
    assert found is not None
    assert found.job.state is State.REVOKED


def test_last_one_to_cancel_stops_a_running_job(shared: Shared) -> None:
    first, second = shared.ask(), shared.ask(owner="8")
    shared.during = [first, second]
    shared.work()
    found = shared.store.find(first.id)
    assert found is not None
    assert (found.job.state, found.job.progress) == (State.REVOKED, 50)
    assert shared.states(first, second) == ["REVOKED", "REVOKED"]


def test_running_job_goes_on_for_who_is_left(shared: Shared) -> None:
    first, second = shared.ask(), shared.ask(owner="8")
    shared.during = [first]
    shared.work()
    assert shared.states(first, second) == ["REVOKED", "SUCCESS"]


def test_job_that_is_being_cancelled_is_joined_by_nobody(shared: Shared) -> None:
    first = shared.ask()
    shared.engine.lifecycle.claim(first.id)
    shared.cancel(first)
    second = shared.ask(owner="8")
    assert (second.follows, second.state) == ("", State.PENDING)


def test_cancel_of_a_finished_task_changes_nothing(shared: Shared) -> None:
    first, second = shared.ask(), shared.ask(owner="8")
    shared.work()
    assert shared.cancel(second) is State.SUCCESS
    assert shared.cancel(first) is State.SUCCESS
    assert shared.states(first, second) == ["SUCCESS", "SUCCESS"]


def test_idempotency_key_of_a_follower_stands_for_its_own_task(shared: Shared) -> None:
    shared.ask()
    task = shared.ask(owner="8", key="key-1")
    shared.work()
    again = shared.ask(owner="8", key="key-1")
    assert (again.id, again.state) == (task.id, State.SUCCESS)
    with pytest.raises(KeyReused):
        shared.ask("bye", owner="8", key="key-1")


class DeadQueues:
    """Queues whose sends fail, after something has happened."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared
        self._send = shared.queues.send
        self.joined: list[Job] = []
        self.fails = True

    def send(self, queue: str, message: Message, *, delay_s: int = 0) -> None:
        if not self.fails:
            self._send(queue, message)
            return
        self.joined.append(self._shared.ask(owner="8"))
        raise Unavailable("the job queue cannot be reached")


def test_job_that_could_not_be_queued_is_kept_for_who_has_joined_it_meanwhile(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = DeadQueues(shared)
    monkeypatch.setattr(shared.queues, "send", dead.send)
    with pytest.raises(Unavailable):
        shared.ask()
    (task,) = dead.joined
    assert shared.states(task) == ["PENDING"]
    assert shared.store.due(2**53, 10) == [task.follows]


def test_key_of_a_job_that_could_not_be_queued_is_as_good_as_new(
    shared: Shared, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(queue: str, message: Message) -> None:
        raise Unavailable("the job queue cannot be reached")

    with monkeypatch.context() as patched:
        patched.setattr(shared.queues, "send", refuse)
        with pytest.raises(Unavailable):
            shared.ask()
    assert shared.ask().follows == ""
    shared.work()
    assert shared.runs == ["hello"]


def test_task_whose_job_is_gone_has_expired(shared: Shared) -> None:
    task = msgspec.structs.replace(shared.ask(), id="task-2", owner="8", follows="job-gone", followers=0, cache_key="")
    shared.store.add(task, b"{}")
    assert shared.see(task).job.expires_s == int(shared.clock.now())


def test_list_shows_what_each_task_shows(shared: Shared) -> None:
    first, second, third = shared.ask(), shared.ask(owner="8"), shared.ask("bye", owner="8")
    shared.cancel(first)
    shared.work()
    page = shared.store.page("8", 10, "").jobs
    assert {job.id: job.state.value for job in sharing.views(shared.engine, page)} == {
        second.id: "SUCCESS",
        third.id: "SUCCESS",
    }
    (own,) = sharing.views(shared.engine, shared.store.page("7", 10, "").jobs)
    assert own.state is State.REVOKED


class Search(msgspec.Struct, frozen=True):
    keywords: tuple[str, ...] = ()
    page: int = 1
    ranges: tuple[dict[str, int], ...] = ()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Search(("Road", " bridge")), Search(("bridge ", "ROAD", "road"))),
        (Search(page=1), Search()),
        (Search(ranges=({"year": 2020, "quarter": 1},)), Search(ranges=({"quarter": 1, "year": 2020},))),
        (Search(("STRASSE",)), Search(("straße",))),
    ],
)
def test_case_blanks_order_repetition_and_spelled_out_defaults_make_no_difference(one: Search, other: Search) -> None:
    assert msgspec.json.encode(folded(one), order="sorted") == msgspec.json.encode(folded(other), order="sorted")


@pytest.mark.parametrize("other", [Search(("roads",)), Search(("road",), page=2), Search(("road", "bridge"))])
def test_what_makes_a_difference_is_kept(other: Search) -> None:
    assert folded(Search(("road",))) != folded(other)
