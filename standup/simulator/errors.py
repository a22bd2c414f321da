"""What can go wrong in the loopback Discord itself.

::

    StandupError
      LoopbackError
        CommandRefused        the bot never registered what a member called
        NotAnswered           an interaction was not acknowledged within 3 s
        NotSeen               what somebody waited for did not happen in time
      ServiceMissing
        SpeechUnavailable     no program here can speak
"""

from __future__ import annotations

from standup.errors import ServiceMissing, StandupError


class LoopbackError(StandupError):
    """The loopback Discord could not do what was asked."""


class CommandRefused(LoopbackError):
    """The bot has not registered this command."""


class NotAnswered(LoopbackError):
    """The bot did not acknowledge the interaction within 3 s."""


class NotSeen(LoopbackError):
    """What was waited for did not happen in time."""


class SpeechUnavailable(ServiceMissing):
    """No speech program is installed; run `apt-get install flite ffmpeg libopus0`."""
