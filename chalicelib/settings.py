"""The settings, read once from the environment: every knob with its unit, its default and why it exists."""

from __future__ import annotations

import os
from collections.abc import Mapping

import msgspec

from chalicelib.errors import ConfigurationError

# Messages that the worker of events takes at a time, and the seconds that it waits for so many.
EVENT_PROFILES = {"low-latency": (10, 0), "high-volume": (1_000, 1)}
QUEUES = ("simulations", "searches", "events", "emails", "batch")
# Of rows on their way to WebSocket clients: none of QUEUES, for what it carries is no work, and worthless in a minute.
LIVE_QUEUE = "live"


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """One deployment's knobs. Built by `read_settings`; tests build it directly."""

    # Names every AWS resource (`sluice-<stage>-...`) and switches on the kinds that exist on some stages only.
    stage: str
    # libpq address of Postgres. Empty: logins answer 503, nothing is saved, the rest works.
    database_url: str = ""
    # ARN of the secret with the login to use where DATABASE_URL is empty, and `host:port/database` to use it at.
    database_secret: str = ""
    database_address: str = ""
    # ARNs of the secrets whose logins `migrate` makes: the roles of the API and of the workers.
    database_api_secret: str = ""
    database_worker_secret: str = ""
    # Processors of the database server: so many searches of contracts run at once, the others wait for their turn.
    database_processors: int = 2
    # HMAC key of the bearer tokens, at least 32 characters. Empty: nobody can log in.
    token_secret: str = ""
    # ARN of the secret that holds the same, where TOKEN_SECRET is empty.
    token_secret_arn: str = ""
    # Seconds that a bearer token is good for: a working day, so that a dashboard survives it.
    token_ttl_s: int = 12 * 3600
    # Whether forecasts may be asked for without an account; off unless a stage says otherwise.
    public_forecasts: bool = False
    # Whether contracts may be searched without an account; off unless a stage says otherwise.
    public_search: bool = False
    # The address that users type: decides on Secure cookies and which Origin a cookie is honoured from.
    public_url: str = ""
    # Seconds without a beat after which a running job is taken for dead; at most 60, most of which the sweeper watches.
    lease_s: int = 30
    # Requests a minute that one process takes from one API key or account, all but GET; 0: as many as come. Beyond it
    # 429: no person and no honest program makes ten times as few.
    rate_submit: int = 1_200
    # The same from one network without credentials, behind which a whole office may be.
    rate_submit_anonymous: int = 600
    # GET requests a minute that one process takes from one caller: a hundred clients that look each second.
    rate_read: int = 6_000
    # Bytes of a request body; API Gateway itself would stop at 10 MB, Lambda at 6 MB.
    body_limit: int = 4 * 1024 * 1024
    # Events of an app that one process takes a second, when it has taken a full batch at once; then it answers 429.
    event_rate: int = 500
    # One of EVENT_PROFILES, read when the app is packaged: rows within a second, or many rows with few writes.
    event_profile: str = "low-latency"
    # Days that events are kept, and that a message which comes again is known by its id.
    event_days: int = 30
    # Sender of all mail, an address that SES may send from. Empty: nobody can sign up or reset a password, and alerts
    # are kept and listed, and not mailed.
    mail_from: str = ""
    # What the ids of processes begin with in OCDS releases: to be registered with the Open Contracting Partnership.
    ocid_prefix: str = "ocds-unregistered"
    # S3 bucket for results and requests that are too large for a table (an output of infra/stack.yaml).
    result_bucket: str = ""
    # ARNs of the tables' streams, read when the app is deployed; empty: CloudFormation looks them up.
    job_stream: str = ""
    socket_stream: str = ""
    # https address that pushes to WebSocket connections go to (an output of the WebSocket API's stack).
    ws_management_endpoint: str = ""

    @property
    def job_table(self) -> str:
        return f"sluice-{self.stage}-jobs"

    @property
    def key_table(self) -> str:
        return f"sluice-{self.stage}-keys"

    @property
    def socket_table(self) -> str:
        return f"sluice-{self.stage}-sockets"

    def queue_name(self, queue: str) -> str:
        """The SQS name of one of QUEUES, whose dead-letter queue has `-dlq` behind it, or of LIVE_QUEUE."""
        if queue not in (*QUEUES, LIVE_QUEUE):
            raise ConfigurationError(f"queue must be one of {', '.join(QUEUES)}, got {queue!r}")
        return f"sluice-{self.stage}-{queue}"


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from environment variables; raises ConfigurationError naming the variable that is wrong."""
    secret = environ.get("TOKEN_SECRET", "")
    if secret and len(secret) < 32:
        raise ConfigurationError(f"TOKEN_SECRET must have at least 32 characters, got {len(secret)}")
    if environ.get("DATABASE_SECRET") and not environ.get("DATABASE_ADDRESS"):
        raise ConfigurationError("DATABASE_SECRET needs DATABASE_ADDRESS, the host:port/database that it is for")
    default = Settings(stage="local")
    return Settings(
        stage=environ.get("STAGE", default.stage),
        database_url=environ.get("DATABASE_URL", ""),
        database_secret=environ.get("DATABASE_SECRET", ""),
        database_address=environ.get("DATABASE_ADDRESS", ""),
        database_api_secret=environ.get("DATABASE_API_SECRET", ""),
        database_worker_secret=environ.get("DATABASE_WORKER_SECRET", ""),
        database_processors=_whole(environ, "DATABASE_PROCESSORS", default.database_processors, most=128),
        token_secret=secret,
        token_secret_arn=environ.get("TOKEN_SECRET_ARN", ""),
        token_ttl_s=_whole(environ, "TOKEN_TTL_S", default.token_ttl_s),
        public_forecasts=_flag(environ, "PUBLIC_FORECASTS", default.public_forecasts),
        public_search=_flag(environ, "PUBLIC_SEARCH", default.public_search),
        public_url=environ.get("PUBLIC_URL", "").rstrip("/"),
        lease_s=_whole(environ, "LEASE_S", default.lease_s, most=60),
        rate_submit=_whole(environ, "RATE_SUBMIT", default.rate_submit, least=0),
        rate_submit_anonymous=_whole(environ, "RATE_SUBMIT_ANONYMOUS", default.rate_submit_anonymous, least=0),
        rate_read=_whole(environ, "RATE_READ", default.rate_read, least=0),
        event_rate=_whole(environ, "EVENT_RATE", default.event_rate),
        event_profile=_one_of(environ, "EVENT_PROFILE", default.event_profile, tuple(EVENT_PROFILES)),
        event_days=_whole(environ, "EVENT_DAYS", default.event_days),
        mail_from=environ.get("MAIL_FROM", ""),
        ocid_prefix=environ.get("OCID_PREFIX", "") or default.ocid_prefix,
        result_bucket=environ.get("RESULT_BUCKET", ""),
        job_stream=environ.get("JOB_STREAM", ""),
        socket_stream=environ.get("SOCKET_STREAM", ""),
        ws_management_endpoint=environ.get("WS_MANAGEMENT_ENDPOINT", ""),
    )


def _whole(environ: Mapping[str, str], name: str, default: int, *, least: int = 1, most: int | None = None) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isdecimal() or int(text) < least:
        raise ConfigurationError(f"{name} must be a whole number of at least {least}, got {text!r}")
    if most is not None and int(text) > most:
        raise ConfigurationError(f"{name} must be at most {most}, got {text}")
    return int(text)


def _one_of(environ: Mapping[str, str], name: str, default: str, values: tuple[str, ...]) -> str:
    text = environ.get(name, "") or default
    if text not in values:
        raise ConfigurationError(f"{name} must be one of {', '.join(values)}, got {text!r}")
    return text


def _flag(environ: Mapping[str, str], name: str, default: bool) -> bool:
    text = environ.get(name, "").lower()
    if text not in ("", "true", "false"):
        raise ConfigurationError(f"{name} must be true or false, got {text!r}")
    return default if not text else text == "true"
