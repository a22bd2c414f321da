"""Reading decisions: what the group settled, and not what it still has to settle. Pure."""

from __future__ import annotations

import re

_LEAD = r"^(?:(?:so|then|and|okay|ok|alright|great|for the record)\b,?\s*)*"
_CHOSEN = (
    r"(?:go with|use|stick with|stay with|switch to|move (?:to|the|our|it)|keep (?!going|it short)|"
    r"postpone|drop|adopt|start using|stop using|cancel|skip (?!ahead)|ship|release|deploy|freeze|merge|"
    r"make (?!it quick)|do (?!it\b|this\b|that\b)|schedule|hold|push|plan on|try|split|delay|replace|"
    r"write|add|run|rename|remove|disable|enable)"
)
_DECISIONS = tuple(
    re.compile(_LEAD + pattern, re.IGNORECASE)
    for pattern in (
        r"(?:we|the team|everyone|everybody|they)(?:'ve| have| had)?(?:\s+(?:all|just|now|also|already|"
        r"finally))*\s+(?:decided|agreed|concluded|settled)(?:\s+(?:to|that|on))?\s+(?P<what>.+)",
        rf"let's\s+(?:(?:just|all|then)\s+)*(?P<what>{_CHOSEN}\b.+)",
        r"(?:the |our |final |my )?decision(?:\s+(?:is|was))?(?:\s*[:,])?(?:\s+(?:to|"
        r"that))?\s+(?P<what>.+)",
        r"(?:it's|it is|it has been|that's) (?:decided|agreed|settled)(?:\s+(?:that|to))?,?\s+(?P<what>.+)",
        r"(?:agreed|decided)[,:]?\s+(?:that\s+|to\s+)?(?P<what>(?:we|let's)\b.+)",
        r"we(?:'ll|'re going to| will| are going to)\s+(?P<what>(?:all |just )*(?:go with|use|stick with|"
        r"stay with|switch to|move to|postpone|drop|adopt|keep using|stop using)\b.+)",
        r"(?P<what>we(?:'re| are) going with\b.+)",
    )
)
_UNSETTLED = re.compile(
    r"\b(?:haven't|have not|not yet|didn't|did not|need to|have to|must|should|can't|cannot|yet to|"
    r"still)\b(?:\s+\w+){0,2}?\s+(?:decided?|agreed?|settled?)\b|\bdecision (?:is|was)? ?(?:still |not )|"
    r"\bdecision (?:yet|pending)",
    re.IGNORECASE,
)


def decision(text: str) -> str | None:
    """Return what *text*, no question, settles for the group; None when it settles nothing."""
    if _UNSETTLED.search(text):
        return None
    found = next(filter(None, (pattern.match(text) for pattern in _DECISIONS)), None)
    return found["what"].strip() if found and len(found["what"].split()) >= 2 else None
