"""The exception tree.

Two questions are answered by class: which stage failed, and can waiting help (``Transient``).

::

    StandupError                                    exit 1
      SettingsError                                 exit 78   the operator's configuration
        ChannelForbidden                            exit 78   a permission the bot lacks in a channel
      MeetingNotFound (LookupError)                 exit 66
      PersonNotFound (LookupError)                  exit 66
      MeetingBusy                                   exit 75   being recorded or worked on
      InputRefused (ValueError)                     exit 65   a file or document we cannot read
      ServiceMissing                                exit 69   a program, server or library that is not there
        BrokerUnreachable (Transient)
      DiskFull (Transient, OSError)                 exit 74
      ArchiveError
        ArchiveUnreachable (Transient)
        ManifestUnreadable                          (standup.archive.manifest)
        Superseded                                  (standup.archive.stages)
      AudioCaptureError
        MalformedPacket (ValueError)                dropped and counted, never fatal
        JournalUnreadable
        MicrophoneLost                              (standup.capture.devices)
      TranscribeError
        ModelLoadError                              a missing or broken model
          ModelNotFound (LookupError)               exit 66   a model that is nowhere, or not on this disk
        TranscriptionTimeout (Transient)
        OutOfMemory (Transient)
      SummarizeError
        NoAnswer                                    the rules take over (standup.summarize.endpoint)
      NotifyError
        ChannelUnreachable (Transient)
      WorkerDied
        WorkerCrashed                               by SIGSEGV, SIGABRT, or by itself
        WorkerKilled                                by SIGKILL: no memory, or a time limit

Messages are whole sentences naming the cause and the next step; they never carry speech, names or tokens.
"""

from __future__ import annotations


class StandupError(Exception):
    """StandupBot could not do what was asked."""

    exit_status = 1
    #: The process exit status a command ends with when this reaches it (sysexits.h where one fits).

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").splitlines()[0])


class Transient(StandupError):
    """Waiting may cure this: the stage is tried again."""


class SettingsError(StandupError):
    """The settings are incomplete or wrong; run `standup init` and check `.env`."""

    exit_status = 78


class ChannelForbidden(SettingsError):
    """The bot lacks a permission in this channel; grant it in the channel's settings."""


class MeetingNotFound(StandupError, LookupError):
    """There is no such meeting; `standup list` shows the known ones."""

    exit_status = 66


class PersonNotFound(StandupError, LookupError):
    """Nobody of that id or name is in the archive; `standup show ID` shows who was in a meeting."""

    exit_status = 66


class MeetingBusy(StandupError):
    """The meeting is being recorded or worked on; try again when it is not."""

    exit_status = 75


class InputRefused(StandupError, ValueError):
    """The file cannot be read as what it claims to be; nothing was changed."""

    exit_status = 65


class ServiceMissing(StandupError):
    """A program, server or library that StandupBot needs is not there."""

    exit_status = 69


class BrokerUnreachable(ServiceMissing, Transient):
    """Redis does not answer; start it and check STANDUP_BROKER_URL."""


class DiskFull(Transient, OSError):
    """The disk is full; free some space, and the work goes on by itself."""

    exit_status = 74


class ArchiveError(StandupError):
    """The archive of meetings could not be read or written."""


class ArchiveUnreachable(ArchiveError, Transient):
    """The database does not answer; check STANDUP_DATABASE_URL."""


class AudioCaptureError(StandupError):
    """Audio could not be captured."""


class MalformedPacket(AudioCaptureError, ValueError):
    """A packet is not what the protocol promises; it is dropped and counted."""


class JournalUnreadable(AudioCaptureError):
    """A packet journal is damaged beyond its header."""


class TranscribeError(StandupError):
    """Speech could not be turned into text."""


class ModelLoadError(TranscribeError):
    """The speech model could not be loaded; check STANDUP_WHISPER_MODEL."""


class ModelNotFound(ModelLoadError, LookupError):
    """There is no such speech model; `standup models list` shows the known ones."""

    exit_status = 66


class TranscriptionTimeout(TranscribeError, Transient):
    """Transcription did not finish in its time; it is tried again."""


class OutOfMemory(TranscribeError, Transient):
    """The device ran out of memory; free some of it, or set a smaller STANDUP_WHISPER_MODEL."""


class SummarizeError(StandupError):
    """The transcript could not be summarized."""


class NotifyError(StandupError):
    """The notes could not be posted."""


class ChannelUnreachable(NotifyError, Transient):
    """Discord did not accept the notes yet; they are posted as soon as it does."""


class WorkerDied(StandupError):
    """The process that worked on this stage died."""


class WorkerCrashed(WorkerDied):
    """The process that worked on this stage crashed."""


class WorkerKilled(WorkerDied):
    """The process that worked on this stage was killed, most often for want of memory."""
