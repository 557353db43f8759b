"""The composition root: every part with a side effect, each built when it is first used."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.accounts.epochs import Epochs
from chalicelib.clock import Clock
from chalicelib.ids import Ids
from chalicelib.jobs.engine import Engine
from chalicelib.settings import Settings, read_settings
from chalicelib.telemetry import Meter

if TYPE_CHECKING:
    from chalicelib.accounts.keys import Keys
    from chalicelib.aws.datasets import Datasets
    from chalicelib.aws.event_records import EventRecords
    from chalicelib.aws.files import Files
    from chalicelib.aws.job_files import JobFiles
    from chalicelib.aws.kept_mail import KeptMail
    from chalicelib.aws.kept_metrics import KeptMetrics
    from chalicelib.aws.mail import Mailbox
    from chalicelib.aws.sockets import Sockets
    from chalicelib.aws.subscriptions import Subscriptions
    from chalicelib.aws.webhooks import Webhooks
    from chalicelib.db.accounts import Accounts
    from chalicelib.db.actuals import Actuals
    from chalicelib.db.connect import Database
    from chalicelib.db.contracts.directory import Directory
    from chalicelib.db.contracts.export import ContractFiles
    from chalicelib.db.contracts.questions import Contracts
    from chalicelib.db.contracts.review import ContractReview
    from chalicelib.db.contracts.saved_searches import SavedSearches
    from chalicelib.db.events.apps import Apps
    from chalicelib.db.events.counts import EventCounts
    from chalicelib.db.events.log import EventLog
    from chalicelib.db.events.quarantine import EventQuarantine
    from chalicelib.db.events.watch import EventWatch
    from chalicelib.db.events.watch_removal import EventRemoval
    from chalicelib.db.events.writer import EventWriter
    from chalicelib.db.forecasts import Forecasts
    from chalicelib.db.histories import Histories
    from chalicelib.db.one_time_codes import OneTimeCodes
    from chalicelib.db.outcomes import Outcomes
    from chalicelib.db.projects import Projects
    from chalicelib.db.saved_forecasts import SavedForecasts
    from chalicelib.db.tries import KeptTries
    from chalicelib.intake import Intake
    from chalicelib.live import Live


class Runtime:
    """One process's parts. Tests hand in another one whole instead of replacing parts of this."""

    @cached_property
    def settings(self) -> Settings:
        return read_settings()

    @cached_property
    def clock(self) -> Clock:
        return Clock()

    @cached_property
    def ids(self) -> Ids:
        return Ids(lambda: self.token_secret)

    @cached_property
    def token_secret(self) -> str:
        """What signs tokens and ids; empty: nobody can log in."""
        if self.settings.token_secret or not self.settings.token_secret_arn:
            return self.settings.token_secret
        from chalicelib.aws.secrets import read_text

        return read_text(self.settings.token_secret_arn)

    @property
    def has_database(self) -> bool:
        """Whether one is configured; it may be away."""
        return bool(self.settings.database_url or self.settings.database_secret)

    @cached_property
    def database_url(self) -> str:
        """The libpq address of Postgres, with its password; empty: there is none."""
        if self.settings.database_url or not self.settings.database_secret:
            return self.settings.database_url
        from chalicelib.aws.secrets import read_login

        return read_login(self.settings.database_secret).url(self.settings.database_address)

    @cached_property
    def meter(self) -> Meter:
        return Meter(self.settings.stage)

    @cached_property
    def engine(self) -> Engine:
        """For the API, whose callers wait: it answers 503 soon when the job store hangs."""
        from chalicelib.jobs.clients import PROMPT_S

        return self._engine(PROMPT_S)

    @cached_property
    def background(self) -> Engine:
        """The same for workers and the sweeper, for whom nobody waits."""
        from chalicelib.jobs.clients import PATIENT_S

        return self._engine(PATIENT_S)

    def _engine(self, read_timeout_s: float) -> Engine:
        from chalicelib.jobs.blobs import Blobs
        from chalicelib.jobs.dynamo import DynamoStore
        from chalicelib.jobs.queue import SqsQueues

        blobs = Blobs(self.settings.result_bucket)
        return Engine(
            store=DynamoStore(self.settings.job_table, blobs, read_timeout_s=read_timeout_s),
            queues=SqsQueues(self.settings),
            clock=self.clock,
            ids=self.ids,
            lease_s=self.settings.lease_s,
            meter=self.meter,
            parts=self,
        )

    @cached_property
    def keys(self) -> Keys:
        from chalicelib.aws.keys import DynamoKeys

        return DynamoKeys(self.settings.key_table)

    @cached_property
    def epochs(self) -> Epochs:
        return Epochs(self.keys.epoch_of)

    @cached_property
    def database(self) -> Database:
        # psycopg2 is loaded by the first login or save, not by every function.
        from chalicelib.db.connect import Database, Turns

        # A login from a secret is one that `migrate` has made, with its limits.
        is_limited = not self.settings.database_url
        return Database(self.database_url, Turns(self.settings.database_processors), role_is_limited=is_limited)

    @cached_property
    def accounts(self) -> Accounts:
        from chalicelib.db.accounts import Accounts

        return Accounts(self.database)

    @cached_property
    def one_time_codes(self) -> OneTimeCodes:
        from chalicelib.db.one_time_codes import OneTimeCodes

        return OneTimeCodes(self.database)

    @cached_property
    def tries(self) -> KeptTries:
        from chalicelib.db.tries import KeptTries

        return KeptTries(self.database)

    @cached_property
    def forecasts(self) -> Forecasts:
        from chalicelib.db.forecasts import Forecasts

        return Forecasts(self.database)

    @cached_property
    def projects(self) -> Projects:
        from chalicelib.db.projects import Projects

        return Projects(self.database)

    @cached_property
    def saved_forecasts(self) -> SavedForecasts:
        from chalicelib.db.saved_forecasts import SavedForecasts

        return SavedForecasts(self.database)

    @cached_property
    def actuals(self) -> Actuals:
        from chalicelib.db.actuals import Actuals

        return Actuals(self.database)

    @cached_property
    def histories(self) -> Histories:
        from chalicelib.db.histories import Histories

        return Histories(self.database)

    @cached_property
    def outcomes(self) -> Outcomes:
        from chalicelib.db.outcomes import Outcomes

        return Outcomes(self.database)

    @cached_property
    def contracts(self) -> Contracts:
        from chalicelib.db.contracts.questions import Contracts

        return Contracts(self.database)

    @cached_property
    def directory(self) -> Directory:
        from chalicelib.db.contracts.directory import Directory

        return Directory(self.database)

    @cached_property
    def contract_review(self) -> ContractReview:
        from chalicelib.db.contracts.review import ContractReview

        return ContractReview(self.database)

    @cached_property
    def contract_files(self) -> ContractFiles:
        from chalicelib.db.contracts.export import ContractFiles

        return ContractFiles(self.database)

    @cached_property
    def saved_searches(self) -> SavedSearches:
        from chalicelib.db.contracts.saved_searches import SavedSearches

        return SavedSearches(self.database)

    @cached_property
    def datasets(self) -> Datasets:
        from chalicelib.aws.datasets import DynamoDatasets

        return DynamoDatasets(self.settings.key_table)

    @cached_property
    def apps(self) -> Apps:
        from chalicelib.db.events.apps import Apps

        return Apps(self.database)

    @cached_property
    def event_writer(self) -> EventWriter:
        from chalicelib.db.events.writer import EventWriter

        return EventWriter(self.database)

    @cached_property
    def event_counts(self) -> EventCounts:
        from chalicelib.db.events.counts import EventCounts

        return EventCounts(self.database)

    @cached_property
    def event_log(self) -> EventLog:
        from chalicelib.db.events.log import EventLog

        return EventLog(self.database)

    @cached_property
    def event_watch(self) -> EventWatch:
        from chalicelib.db.events.watch import EventWatch

        return EventWatch(self.database)

    @cached_property
    def event_quarantine(self) -> EventQuarantine:
        from chalicelib.db.events.quarantine import EventQuarantine

        return EventQuarantine(self.database)

    @cached_property
    def event_removal(self) -> EventRemoval:
        from chalicelib.db.events.watch_removal import EventRemoval

        return EventRemoval(self.database)

    @cached_property
    def intake(self) -> Intake:
        from chalicelib.intake import Intake

        return Intake(self.event_records, self.clock, self.ids, rate=self.settings.event_rate)

    @cached_property
    def event_records(self) -> EventRecords:
        from chalicelib.aws.event_records import DynamoEventRecords

        return DynamoEventRecords(self.settings.key_table)

    @cached_property
    def files(self) -> Files:
        from chalicelib.aws.files import S3Files

        return S3Files(self.settings.result_bucket)

    @cached_property
    def job_files(self) -> JobFiles:
        from chalicelib.aws.job_files import S3JobFiles

        return S3JobFiles(self.settings.result_bucket)

    @cached_property
    def mailbox(self) -> Mailbox:
        from chalicelib.aws.mail import SesMailbox

        return SesMailbox(self.settings.mail_from)

    @cached_property
    def kept_mail(self) -> KeptMail:
        from chalicelib.aws.kept_mail import KeptMail

        return KeptMail()

    @cached_property
    def kept_metrics(self) -> KeptMetrics:
        from chalicelib.aws.kept_metrics import KeptMetrics

        return KeptMetrics(self.settings.stage)

    @cached_property
    def webhooks(self) -> Webhooks:
        from chalicelib.aws.webhooks import HttpWebhooks

        return HttpWebhooks(is_local=self.settings.stage == "local")

    @cached_property
    def sockets(self) -> Sockets:
        from chalicelib.aws.sockets import GatewaySockets

        return GatewaySockets(self.settings.ws_management_endpoint)

    @cached_property
    def subscriptions(self) -> Subscriptions:
        from chalicelib.aws.subscriptions import DynamoSubscriptions

        return DynamoSubscriptions(self.settings.socket_table)

    @cached_property
    def live(self) -> Live:
        from chalicelib.aws.subscriptions import DynamoSubscriptions
        from chalicelib.jobs.clients import PROMPT_S
        from chalicelib.live import Live

        # Of its own: the next events wait for it, so it gives up sooner.
        subscriptions = DynamoSubscriptions(self.settings.socket_table, read_timeout_s=PROMPT_S)
        return Live(subscriptions, self.background.queues, self.clock)
