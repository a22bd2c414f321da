"""Capture: voice packets become tracks.

The recorder uses `receiver` and `journal`; the capture stage uses `tracks`. The way of a packet::

    datagram -> rtp -> decrypt -> receiver -> journal -> timeline -> ogg -> track
"""
