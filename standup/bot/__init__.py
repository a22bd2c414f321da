"""The Discord side: two programs that share a token and watch each other.

``client``           the gateway client, and the exit statuses of a program that runs one; ``outages``: its log
``voice_recorder``   the program that joins voice, shows the notice and keeps packet journals
``event_monitor``    the program that logs every channel event and notices a recorder that is not there
``commands``         `/standup start | stop | status | schedule | unschedule`; ``obstacles``: what they are refused for
``schedule_desk``    orders about schedules; ``schedule_list``: those known; ``schedule_notes``: what was done
``schedule_starts``  the recorder begins scheduled meetings
``schedule_checks``  the monitor tells beforehand what would stop them; ``schedule_doctor`` and ``pulse`` know
``studio``           all recordings of the process: begins, follows and suspends them
``revival``          what an earlier run left unfinished: continued or ended
``shelf``            manifests and journals on this machine's disk
``recording``        the life of one recording; ``attendance``: who is there; ``audience``: who of them sees the notice
``hearing``          whether it hears: its gaps, and the rejoins that end them
``voice_line``       its voice connection: joins, rejoins when deaf, leaves
``voice_client``     discord.py's voice client with ears; ``socket_reader``: its reader thread
``listener``         from a voice connection's packets and events to the journal
``message``          the one message of a meeting; ``notice_board``: that message while it is recorded
``live_thread``      what is read while people talk; ``message_thread``: the thread that shows it
``progress``         that message after the recording, until the notes replace it
``meeting_clock``    the time of one run, on the monotonic clock
``liveness``, ``endings``, ``resumption``, ``permissions``, ``presence``, ``allowance``   decisions   pure
``gaps``, ``wording``, ``schedule_wording``                                               what is told   pure

Nothing here decodes sound, and nothing on the event loop touches a disk, a database or a broker.
"""
