"""A Discord on this machine: REST, gateway, voice rooms and the people who speak in them.

Nothing leaves the loopback interface, and everything on it is the genuine wire: TLS, zlib-stream, RTP over
UDP, both AEAD modes, a DAVE (MLS) group and Opus. An unmodified discord.py bot cannot tell the difference.

``server``       the one object to start: ``LoopbackDiscord``; ``trouble`` is its part that breaks things
``world``        who and what exists: users, channels, permissions, messages               pure
``content``      what Discord accepts in a message, and whom it pings                      pure
``permissions``  what a member may do in a channel                                         pure
``payloads``     the JSON objects of API v10                                               pure
``commands``     registered slash commands and the interactions made from them             pure
``access``       what a REST call names, and whether the bot may
``admission``    token, injected failures and rate limits before each REST call
``rest``, ``threads``, ``interactions``, ``postings``, ``gateway``, ``events``   the public faces of API v10
``mls``, ``group``, ``transport``, ``faults``   the voice server's decisions               pure
``voice_server``, ``relay``                 its websocket and its UDP socket
``participant``, ``voice_client``           people, speaking the same voice protocol as the bot
``speech``, ``scenario``                    voices and the standup they perform
"""
