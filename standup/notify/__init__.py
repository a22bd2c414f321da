"""Posting the notes where the team reads them.

The package is the edge to the channel; what is posted is a `standup.notice.Notice`.
"""
