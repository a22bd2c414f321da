"""StandupBot: capture → transcribe → summarize → notify for standups held in Discord voice channels."""

__version__ = "0.1.0"
