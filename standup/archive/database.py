"""The connection to the archive's database, and its migrations.

SQLite runs in WAL mode with immediate write transactions, so that several processes write without deadlocks;
any other SQLAlchemy address (PostgreSQL) is taken as it is.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from standup.errors import ArchiveError, ArchiveUnreachable, DiskFull, SettingsError

BUSY_TIMEOUT_MS = 15_000
LOOK_EVERY_S = 0.01
CONNECT_TIMEOUT_S = 5
MIGRATIONS = Path(__file__).parent / "migrations"
MOST_DELETIONS = 1_000_000
"""Where the count of deletions begins anew; it has 31 bits."""
MIGRATION_LOCK = 7_368_627
#: Any number, the same in every release.


def connect(url: str) -> Engine:
    """Return an engine for *url*; nothing is opened yet.

    Raises SettingsError when the address is not one, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() != "sqlite":
            driver = (
                parsed.set(drivername="postgresql+psycopg") if parsed.drivername == "postgresql" else parsed
            )
            return create_engine(
                driver, pool_pre_ping=True, connect_args={"connect_timeout": CONNECT_TIMEOUT_S}
            )
        if parsed.database:
            _make_folder(Path(parsed.database).parent)
        engine = create_engine(parsed, connect_args={"timeout": BUSY_TIMEOUT_MS / 1000})
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as cause:
        raise SettingsError(
            "STANDUP_DATABASE_URL is not a usable database address; leave it empty for SQLite, or use "
            "postgresql://user@host/name (with the psycopg package installed)."
        ) from cause
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as cause:
        raise SettingsError(
            f"The archive's folder cannot be made ({cause.strerror}); check STANDUP_DATA_DIR and STANDUP_DATABASE_URL."
        ) from cause


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own
    # secure_delete: what is deleted or replaced was said by people, and must not stay readable in free pages.
    settings = (
        "synchronous=FULL",  # a manifest may say that the archive has a meeting: that must outlive a power cut
        "foreign_keys=ON",
        "secure_delete=ON",
        f"busy_timeout={BUSY_TIMEOUT_MS}",
    )
    for pragma in settings:
        connection.execute(f"PRAGMA {pragma}")
    _enter_wal(connection)


def _enter_wal(connection: Any) -> None:
    """Switch to the write-ahead log, which stays; when several do so at once, SQLite waits for none of them."""
    deadline_s = time.monotonic() + BUSY_TIMEOUT_MS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as refusal:
            if "locked" not in str(refusal) or time.monotonic() > deadline_s:
                raise
            time.sleep(LOOK_EVERY_S)


def _begin_sqlite(connection: Connection) -> None:
    # A deferred transaction that reads before it writes fails at once with SQLITE_BUSY; an immediate one waits.
    connection.exec_driver_sql(
        "BEGIN" if connection.get_execution_options().get("reading") else "BEGIN IMMEDIATE"
    )


def note_deletion(session: Session) -> None:
    """Note, in the transaction that deletes words, that `scrub` has something to do; also after a kill in between."""
    if session.get_bind().dialect.name == "sqlite":
        count = session.connection().exec_driver_sql("PRAGMA user_version").scalar_one()
        session.connection().exec_driver_sql(f"PRAGMA user_version={count % MOST_DELETIONS + 1}")


def scrub(engine: Engine) -> bool:
    """Make what was deleted unreadable in SQLite's files; any other database has none of ours.

    Returns False when others were busy for too long, or the disk is full: then it must be tried again.
    """
    if engine.dialect.name != "sqlite":
        return True
    with guarded():
        connection = engine.raw_connection()  # neither statement may stand in a transaction
        try:
            return _scrub(connection.cursor())
        except sqlite3.DatabaseError:
            return False
        finally:
            connection.close()


def _scrub(cursor: Any) -> bool:
    (deletions,) = cursor.execute("PRAGMA user_version").fetchone()
    if deletions:
        # secure_delete blanks what is deleted, but not the copies that stay behind when a page is split.
        cursor.execute("PRAGMA temp_store=MEMORY")  # what is copied is words too
        cursor.execute("VACUUM")
        cursor.execute("BEGIN IMMEDIATE")
        if cursor.execute("PRAGMA user_version").fetchone() == (deletions,):  # nobody has deleted meanwhile
            cursor.execute("PRAGMA user_version=0")
        cursor.execute("COMMIT")
    is_busy, _, _ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not is_busy


@contextmanager
def guarded() -> Iterator[None]:
    """Turn the driver's errors into ours: unreachable, disk full, or broken."""
    try:
        yield
    except OperationalError as cause:
        if any(words in str(cause.orig) for words in ("disk is full", "disk I/O error")):
            # SQLite in WAL mode answers a full disk with either, depending on which file could not grow.
            raise DiskFull(
                "The disk of the archive is full or failing; free some space, and the work goes on."
            ) from None
        if "no such table" in str(cause.orig):
            raise ArchiveError("The archive has no tables yet; run `standup migrate`.") from None
        if any(words in str(cause.orig) for words in ("unable to open", "readonly database")):
            raise ArchiveUnreachable(
                "The archive's file cannot be opened or written by this user; check who owns STANDUP_DATA_DIR and the "
                "files in it (a command run with sudo may have made them), and that its disk is there."
            ) from None
        raise ArchiveUnreachable(
            "The archive's database does not answer; check STANDUP_DATABASE_URL and that the server runs."
        ) from None
    except DBAPIError as cause:
        raise ArchiveError(
            f"The archive refused a statement ({type(cause.orig).__name__}); run `standup migrate` and try again."
        ) from None


def migrate(engine: Engine) -> None:
    """Bring the schema to the newest revision; does nothing, and quickly, when it is there already.

    Several processes may do so at once. A schema newer than this release is left alone: migrations only add.
    """
    with guarded():
        if revision(engine) >= revisions()[-1]:
            return
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                # SQLite's write transaction keeps the others out by itself.
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
            _upgrade(connection)


def revisions() -> list[str]:
    """Return every revision that this release knows, oldest first; the files of the migrations begin with theirs."""
    return sorted(path.name.partition("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def revision(engine: Engine) -> str:
    """Return the schema's revision, empty when there is none yet."""
    with engine.connect() as connection:
        connection = connection.execution_options(reading=True)
        if not inspect(connection).has_table("alembic_version"):
            return ""
        return str(connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() or "")


def _upgrade(connection: Connection) -> None:
    # Costs half a second and 15 MB, which a program that finds the schema in place saves.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
