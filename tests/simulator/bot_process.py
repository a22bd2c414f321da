"""An unmodified discord.py bot for the loopback's tests, run as its own process.

aiohttp builds its TLS context at import, so SSL_CERT_FILE has to be in the environment before Python starts.
Lines of JSON on standard input are orders, lines on standard output are what the bot saw:
``ready``, ``joined``, ``heard`` (one decrypted frame), ``message``, ``gone``, ``error``.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import json
import os
import socket
import sys
import threading
from typing import Any

import davey
import discord
import yarl
from discord import app_commands
from discord.ext import commands
from discord.voice_state import VoiceConnectionState
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt
from nacl.exceptions import CryptoError

SILENCE = b"\xf8\xff\xfe"


def tell(event: str, **content: Any) -> None:
    """Write one line for the test to read."""
    sys.stdout.write(json.dumps({"event": event, **content}) + "\n")
    sys.stdout.flush()


class TestBot(commands.AutoShardedBot):
    """Answers /standup, posts and edits as ordered, and tells every frame it can decrypt."""

    def __init__(self) -> None:
        intents = discord.Intents(
            guilds=True, voice_states=True, messages=True, message_content=True, members=True
        )
        super().__init__(command_prefix="!", intents=intents, guild_ready_timeout=0.2)
        self.owners: dict[int, int] = {}
        self.held: dict[int, list[tuple[int, bytes]]] = {}
        self.lock = threading.Lock()
        self.client: discord.VoiceClient | None = None

    async def setup_hook(self) -> None:
        """Register the commands and begin to take orders."""
        group = app_commands.Group(name="standup", description="Standups")

        @group.command(name="start", description="Start recording")
        async def start(interaction: discord.Interaction, note: str | None = None) -> None:
            await interaction.response.defer(ephemeral=note == "secret")
            await interaction.followup.send(f"Recording. {note or ''}")

        @group.command(name="status", description="Show the state")
        async def status(interaction: discord.Interaction) -> None:
            await interaction.response.send_message("Idle.")
            await interaction.edit_original_response(content="Idle, edited.")

        @group.command(name="stall", description="Never answer")
        async def stall(interaction: discord.Interaction) -> None:
            tell("stalled")

        self.tree.add_command(group)
        await self.tree.sync()
        self.orders = asyncio.create_task(self.take_orders())

    async def on_ready(self) -> None:
        """Tell that the guild is known."""
        guild = self.guilds[0]
        tell("ready", members=sorted(m.name for m in guild.members), channels=len(guild.channels))

    async def on_shard_resumed(self, shard_id: int) -> None:
        """Tell that a session went on."""
        tell("resumed")

    async def on_message(self, message: discord.Message) -> None:
        """Tell what somebody wrote."""
        tell("message", content=message.content, author=message.author.name)

    async def on_voice_state_update(
        self, member: discord.Member, before: discord.VoiceState, after: discord.VoiceState
    ) -> None:
        """Tell who sits where."""
        tell("voice", user=member.id, channel=after.channel.id if after.channel else None)

    async def take_orders(self) -> None:
        """Carry out the lines on standard input."""
        loop = asyncio.get_running_loop()
        while True:
            line = await loop.run_in_executor(None, sys.stdin.readline)
            if not line:
                await self.close()
                return
            order = json.loads(line)
            try:
                result = await getattr(self, "order_" + order.pop("order"))(**order)
                tell("done", result=result)
            except (discord.DiscordException, asyncio.TimeoutError) as error:
                tell("failed", kind=type(error).__name__, text=str(error), code=getattr(error, "code", None))

    async def order_join(self, channel_id: int, timeout_s: float = 20.0) -> None:
        """Join a voice channel and listen."""
        channel = self.get_channel(channel_id)
        assert isinstance(channel, discord.VoiceChannel)
        self.client = await channel.connect(timeout=timeout_s, reconnect=True, cls=ListeningClient)

    async def order_leave(self) -> None:
        """Leave voice."""
        assert self.client is not None
        await self.client.disconnect(force=True)

    async def order_state(self) -> dict[str, Any]:
        """Tell the voice connection's state."""
        assert self.client is not None
        state = self.client._connection
        session = state.dave_session
        return {
            "connected": self.client.is_connected(),
            "mode": str(state.mode),
            "endpoint": state.endpoint,
            "users": sorted(int(u) for u in session.get_user_ids()) if session else [],
            "ready": bool(session and session.ready),
            "owners": {str(ssrc): user for ssrc, user in self.owners.items()},
        }

    async def order_post(self, channel_id: int, content: str | None = None, **extra: Any) -> dict[str, Any]:
        """Post a message."""
        channel = self.get_partial_messageable(channel_id)
        if "file" in extra:
            extra["file"] = discord.File(io.BytesIO(extra["file"].encode()), "notes.md")
        if "embed" in extra:
            extra["embed"] = discord.Embed(**extra["embed"])
        message = await channel.send(content, **extra)
        files = [await one.read() for one in message.attachments]
        return {"id": message.id, "files": [one.decode() for one in files], "nonce": message.nonce}

    async def order_edit(self, channel_id: int, message_id: int, content: str) -> None:
        """Edit a message."""
        await self.get_partial_messageable(channel_id).get_partial_message(message_id).edit(content=content)

    async def order_history(self, channel_id: int) -> list[str]:
        """List a channel's messages, newest first."""
        return [
            message.content async for message in self.get_partial_messageable(channel_id).history(limit=10)
        ]

    async def order_fetch(self, channel_id: int, message_id: int) -> str:
        """Fetch a message's content."""
        return (await self.get_partial_messageable(channel_id).fetch_message(message_id)).content


class WakefulState(VoiceConnectionState):
    """discord.py's connection, with the socket shut down before it is closed.

    Its reader thread waits in select for up to 30 s and a mere close does not wake it, so that with a listener
    installed a reconnect would miss the reply to its IP discovery.
    """

    async def disconnect(self, *, force: bool = True, cleanup: bool = True, wait: bool = False) -> None:
        """Wake the reader thread, then disconnect."""
        if self.socket:
            with contextlib.suppress(OSError):
                self.socket.shutdown(socket.SHUT_RDWR)
        await super().disconnect(force=force, cleanup=cleanup, wait=wait)


class ListeningClient(discord.VoiceClient):
    """A voice client that opens every packet by the documented steps."""

    def create_connection_state(self) -> Any:
        """Listen to packets and to SPEAKING."""
        state = WakefulState(self, hook=self.hook)
        state.add_socket_listener(self.hear)
        return state

    async def hook(self, ws: Any, message: dict[str, Any]) -> None:
        """Learn whose SSRC is whose."""
        if message["op"] == 5:
            ssrc = message["d"]["ssrc"]
            with bot.lock:
                bot.owners[ssrc] = int(message["d"]["user_id"])
                held = bot.held.pop(ssrc, [])
                for sequence, body in held:
                    self.decrypt(ssrc, sequence, body)

    def hear(self, packet: bytes) -> None:
        """Open one packet and tell what was in it."""
        state = self._connection
        if len(packet) < 12 or packet[0] >> 6 != 2 or packet[1] & 0x7F != 0x78:
            return
        clear = 12 + 4 * (packet[0] & 0x0F) + (4 if packet[0] & 0x10 else 0)
        nonce = packet[-4:] + bytes(20)
        try:
            body = crypto_aead_xchacha20poly1305_ietf_decrypt(
                packet[clear:-4], packet[:clear], nonce, bytes(state.secret_key)
            )
        except CryptoError:
            tell("lost", why="transport")
            return
        if packet[0] & 0x20:
            body = body[: -body[-1]]
        if packet[0] & 0x10:
            body = body[4 * int.from_bytes(packet[clear - 2 : clear], "big") :]
        ssrc, sequence = int.from_bytes(packet[8:12], "big"), int.from_bytes(packet[2:4], "big")
        with bot.lock:
            if ssrc in bot.owners:
                self.decrypt(ssrc, sequence, body)
            else:
                bot.held.setdefault(ssrc, []).append((sequence, body))

    def decrypt(self, ssrc: int, sequence: int, body: bytes) -> None:
        """Undo the end-to-end encryption and tell the frame."""
        state, owner = self._connection, bot.owners[ssrc]
        try:
            if body != SILENCE and state.dave_session is not None:
                body = state.dave_session.decrypt(owner, davey.MediaType.audio, body)
        except ValueError as error:
            tell("lost", why=str(error))
            return
        frame = base64.b64encode(body).decode()
        tell("heard", user=owner, ssrc=ssrc, sequence=sequence, frame=frame)


discord.http.Route.BASE = os.environ["LOOPBACK_API_URL"]
discord.gateway.DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(os.environ["LOOPBACK_GATEWAY_URL"])
bot = TestBot()
try:
    bot.run(os.environ["LOOPBACK_TOKEN"], log_level=int(os.environ.get("LOOPBACK_LOG_LEVEL", "30")))
except discord.LoginFailure as failure:
    tell("error", kind="LoginFailure", text=str(failure), code=None)
