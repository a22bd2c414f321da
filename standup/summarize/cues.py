"""The words that give a clause away: tables of patterns, and the few questions that are asked of them.

Everything here reads a clause without greeting, time and label at its start (`wording.strip_when`). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from standup.summary import Kind

_ADVERBS = (
    r"(?:(?:also|just|already|finally|then|now|mostly|mainly|pretty much|basically|actually|successfully|"
    r"probably|currently|still|only|really|almost|nearly|first|again|both|all)\s+)*"
)
_BE = r"(?:'m|'re|'s|\s+am|\s+are|\s+is)"


@dataclass(frozen=True, slots=True)
class _Table:
    """Patterns of which one must be found; those that begin with ``^`` are tried at the start alone."""

    leading: re.Pattern[str]
    anywhere: re.Pattern[str]

    def finds(self, text: str) -> bool:
        """Return whether one of the patterns is in *text*."""
        return self.leading.match(text) is not None or self.anywhere.search(text) is not None


def _table(*patterns: str) -> _Table:
    never = r"(?!)"
    leading = [one for one in patterns if one.startswith("^")] or [never]
    anywhere = [one for one in patterns if not one.startswith("^")] or [never]
    return _Table(*(re.compile("|".join(ones), re.IGNORECASE) for ones in (leading, anywhere)))


SMALL_TALK = _table(
    r"^(?:the )?(?:action items?|decisions?|announcements?|questions?)$",
    r"^(?:no|none|nope|nothing|nil|not really|all good|agreed|exactly|right|correct|true|indeed|perfect|"
    r"awesome|same|fine|good|cool|done|nice one|good job|well done)?(?:\W+(?:no|nothing|else|really|today|"
    r"for me|from me|so far|though|thanks|here|at the moment|either))*$",
    r"^(?:that's (?:it|all)|that is (?:it|all)|sounds good|no problem|no worries|over to|"
    r"you're (?:on mute|muted)|can you (?:all )?hear|go ahead|your turn|same here|me too|not much|"
    r"nothing (?:else|more|from|to report)|how are|see you|bye\b|have a (?:good|nice|great)|"
    r"welcome (?:back|everyone|all|to)|my turn|good to (?:see|hear)|excuse me|sorry\b)",
    r"^(?:i'll|i will|let me|let's) (?:go (?:first|next)|start (?:off|us|then|$)|begin|pass|hand|"
    r"keep (?:it|this)|be (?:quick|brief|out|off|away|late|back)|see\b|share my screen|move on|"
    r"get (?:started|going)|wrap|talk|take (?:it|this) offline|do (?:this|it|that)$|go around|hear|not\b|"
    r"say)",
    r"^(?:i|we)(?:'m| am|'re| are) (?:good|fine|here|back(?! on| to)|happy|glad|sorry|feeling|guessing|"
    r"wondering|afraid|sharing|running late|having (?:lunch|coffee)|kidding|joking|looking forward|"
    r"assuming|sure|not sure|all set|hearing)\b",
    r"^(?:i'll be|i will be|i'm|i am) (?:on (?:vacation|holiday|leave)|off|out(?! of)|away|sick|absent|"
    r"late)\b",
    r"^(?:i|we) (?:think|guess|hope|believe) so|^i don't (?:know|think)",
    r"^(?!(?:i|we|my)\b).*\b(?:weekend|weather|coffee|lunch|football|vacation|holiday)\b.*\b(?:nice|good|"
    r"great|fun|sunny|rain\w*|lovely)\b",
)

NO_BLOCKERS = _table(
    r"\b(?:no|zero|any|haven't got|don't have|nothing)\b(?:\s+\w+){0,3}?\s+(?:blockers?|impediments?|"
    r"obstacles?|roadblocks?)\b",
    r"\bno (?:issues|problems|concerns)\b",
    r"\bnothing(?:'s| is| was)?(?: really| currently| else| that's)* (?:blocking|blocked|holding|"
    r"in my way|stopping)\b",
    r"(?:\bnot|n't|\bnever)(?: really| currently| actually| being| been)* (?:blocked|stuck|blocking)\b",
    r"\b(?:no longer|not \w+ anymore)\b.*\b(?:blocked|stuck|waiting|blocker|blocking|a problem|an issue)\b",
    r"\bunblocked\b|\b(?:not|isn't) (?:a|really a) blocker\b",
    r"\bblockers?(?: are| is)?\s*[:,]?\s*(?:none|no|nope|nothing|nil|zero)\b",
    r"\bno ?(?:one|body) is (?:blocked|stuck)\b",
)
_EXCEPTION = re.compile(
    r"\bno \w*\s*(?:blockers?|impediments?|issues|problems)\b,?\s*(?:except(?: for| that)?|other than|"
    r"apart from|besides|aside from|but)\s+(?P<what>.+)",
    re.IGNORECASE,
)

BLOCKERS = _table(
    r"\b(?:blocked|stuck|held up|hung up)\b(?!\s+(?:out|off)\b)",
    r"\bblockers? (?:is|are|for me)\b|\bblocking (?:me|us|my|our|the|this|that|progress)\b|\bblocks (?:me|"
    r"us|my|our|the)\b",
    r"^(?:my|the|our|one|only|main|a|another|big)\b.*\b(?:blocker|impediment|obstacle|roadblock)s?\b",
    r"\b(?:waiting|wait) (?:for|on)\b|\bwaiting to (?:hear|get)\b|\bheld (?:up|back) by\b|\bheld back\b",
    r"\b(?:can't|cannot|can not|unable to|not able to)\b(?! (?:wait|complain|believe|think of|remember|"
    r"hear))",
    r"\bcouldn't\b.*\b(?:because|until|without|since|due to|as)\b",
    r"^(?:i|we)(?: still| really| also| just| will| do)* need (?!to\b)",
    r"\bneeds? (?:access|credentials|approval|permissions?|more information|input)\b",
    r"\b(?:no(?! longer)|don't have(?: any| the)?|haven't (?:got|received|gotten|heard)|still missing|"
    r"missing|lack(?:ing)?)\b(?:\s+\w+){0,3}?\s+(?:access|permissions?|credentials?|licen[cs]es?|approval|"
    r"answers?|response|reply|feedback|keys?|hardware|back)\b",
    r"\b(?:hasn't|haven't) (?:answered|responded|replied|arrived|come back|been approved|been delivered)\b",
    r"(?:\bis|\bare|'s|\bkeeps?|\bstill)\s+(?:\w+ly |still |currently )*(?:down|broken|failing|crashing|"
    r"timing out|unavailable|unreachable|flaky|offline|hanging)\b",
    r"\b(?:still|keeps?|constantly)\s+(?:crash|fail|hang|break|time|freez)\w*\b",
    r"(?:\bisn't|\baren't|\bis not|\bare not|\bnot)\s+(?:\w+ly )?(?:working|responding|building|starting|"
    r"available)\b",
    r"\b(?:out of|short of) (?:\w+ ){0,2}(?:space|memory|credits?|quota|licen[cs]es)\b",
    r"\bno longer (?:works?|builds?|starts?|responds?|connects?|loads?)\b",
    r"\b(?:doesn't|don't|does not) (?:work|respond|build|compile|connect|start|load|boot)\b",
    r"\b(?:there is|there's|there are|have|(?:have|has|'ve|'s) got|having|hit|hitting|run into|ran into|"
    r"running into|facing)\b(?:\s+\w+){0,3}?\s+(?:problems?|issues?|trouble|difficult(?:y|ies)|blockers?|"
    r"errors?)\b",
)
_WAS_BLOCKED = re.compile(
    r"\b(?:was|were|had been|got)\b.{0,20}\b(?:blocked|stuck|waiting|held up)\b", re.IGNORECASE
)
_RESOLVED = re.compile(
    r"\b(?:resolved|fixed|solved|sorted|cleared|unblocked|works? (?:now|again)|working (?:now|again)|"
    r"back (?:up|online)|got (?:it|them|that)|got (?:access|unblocked)|(?:is|it's|are) (?:gone|back|"
    r"fine now|done now)|figured (?:it|that) out|went away|all good)\b",
    re.IGNORECASE,
)
_BACK = re.compile(
    r"^(?:it|that|this|they|he|she|which|now)\b|\b(?:fixed|resolved|solved|sorted|figured|got|"
    r"cleared)\s+(?:it|that|this|them)\b|\bunblocked\b",
    re.IGNORECASE,
)
_NOT_YET = re.compile(
    r"\b(?:until|till|unless|once|when|before|to be|to get|not|isn't|hasn't|haven't|needs?|gets?)\b|n't\b",
    re.IGNORECASE,
)

_NOT_PAST = (
    r"(?!(?:need|embed|feed|seed|speed|proceed|succeed|exceed|blocked|supposed|used to|wanted|hoped|"
    r"planned|expected|intended|tired|interested|excited|concerned|worried|confused|needed|assumed|agreed|"
    r"meant|indeed)\b)"
)
_PAST = (
    rf"(?:{_NOT_PAST}\w{{2,}}ed|did|made|built|wrote|got|set|ran|found|sent|met|put|took|went|gave|began|"
    rf"broke|brought|bought|"
    r"caught|chose|cut|drew|held|hit|led|left|paid|read|rebuilt|redid|reran|rewrote|saw|shut|split|spent|"
    r"spoke|swept|taught|told|undid|won(?!')|had|done|written|taken|given|gone|gotten|run|seen|begun|"
    r"chosen|broken|drawn|spun)"
)
UNFINISHED = _table(
    r"\b(?:didn't|did not|haven't|have not|hasn't|has not|wasn't|weren't|couldn't|could not|never)\b",
    r"\b(?:was|were) (?:hoping|going|supposed|planning|about) to\b|\b(?:wanted|planned|meant|hoped|"
    r"intended) to\b",
)
DONE = _table(
    rf"^(?:i|we)\s+{_ADVERBS}{_PAST}\b",
    rf"^(?:i|we)(?:'ve|'s|\s+have|\s+has|\s+had)\s+{_ADVERBS}(?:been\s+{_ADVERBS}\w+ing|"
    rf"{_PAST})\b(?!\s+to\b)",
    rf"^(?:i|we) (?:was|were)\s+{_ADVERBS}(?:\w+ing|able to)\b",
    rf"^(?:i|we){_BE}\s+{_ADVERBS}(?:done|finished|through) with\b",
    rf"^{_ADVERBS}(?:{_NOT_PAST}\w{{2,}}ed|did|done with|made|built|wrote|got|ran|sent|met|rewrote|rebuilt|"
    rf"set up|had) ",
    rf"^(?!(?:i|we|it|that|this|he|she|they|which)\b)(?!.*\b(?:almost|nearly|not|n't)\b).+?(?:\s+(?:is|are|"
    rf"was|were|has been|have been|got)|'s)\s+{_ADVERBS}"
    r"(?:done|finished|merged|deployed|fixed|resolved|released|completed|live|closed|shipped|approved|"
    r"sorted|delivered|published)\b",
)

UNINTENDED = _table(
    r"^(?:i|we)(?:'ll| will| should|'m going to| am going to) (?:not|never)\b",
    r"^we (?:still )?(?:need|have|want) to (?:decide|discuss|talk|agree|figure)\b",
    r"^(?:i|we) won't\b|^(?:i|we)(?:'m| am|'re| are) not\b|^(?:i|we) (?:don't|do not)\b",
)
NEXT = _table(
    rf"^(?:i|we)(?:'ll|\s+will|\s+shall)\s+{_ADVERBS}\w",
    rf"^(?:i|we){_BE}\s+{_ADVERBS}(?:gonna|on|about to|\w+ing)\b",
    rf"^(?:i|we)\s+{_ADVERBS}(?:(?:plan|want|need|have|hope|aim|intend|expect|ought|would like)\s+to|"
    rf"continue|gotta)\b",
    rf"^i\s+{_ADVERBS}(?:should|must)\b",
    r"^(?:i|we)'d like to\b",
    r"^(?:will|going to|gonna|plan(?:ning)? to|want to|hoping to|hope to|aiming to|(?:still |"
    r"now )?working on|continu(?:e|ing)|starting|finishing|looking (?:at|into)|focus(?:ing|sing)? on)\b",
    r"^(?:my|the|our) (?:plan|goal|focus|priority|next (?:step|task|thing))\b",
)

_ANCHORS: Sequence[tuple[Kind, re.Pattern[str]]] = (
    (
        Kind.DONE,
        re.compile(
            r"^(?:\w+ )?(?:yesterday|last (?:week|night|\w+day)|done|completed|what i did)\b", re.IGNORECASE
        ),
    ),
    (
        Kind.NEXT,
        re.compile(
            r"^(?:\w+ )?(?:today|tomorrow|tonight|this (?:afternoon|week)|next(?: up| steps?)?(?=\s*[,:]|"
            r"\s+i\b|\s+we\b|$)|plans?:|to-?do:)",
            re.IGNORECASE,
        ),
    ),
    (Kind.BLOCKER, re.compile(r"^(?:and )?blockers?\s*(?::|$)", re.IGNORECASE)),
)
_ASKED: Sequence[tuple[Kind, re.Pattern[str]]] = (
    (
        Kind.BLOCKER,
        re.compile(r"\b(?:block\w*|impediments?|in (?:your|the) way|stuck|holding you)\b", re.IGNORECASE),
    ),
    (
        Kind.DONE,
        re.compile(
            r"\b(?:yesterday|did you|have you (?:done|been)|since (?:last|yesterday))\b", re.IGNORECASE
        ),
    ),
    (Kind.NEXT, re.compile(r"\b(?:today|next|plan\w*|going to do|will you)\b", re.IGNORECASE)),
)
_HEDGE = re.compile(r"^(?:hopefully|probably|maybe|perhaps)\b,?\s*", re.IGNORECASE)
_CONTINUES = re.compile(r"^(?:and|also|plus|then|as well as|after that)\b", re.IGNORECASE)
_FINITE = re.compile(
    r"(?:\b(?:\w{3,}ed|went|came|took|made|felt|i|we|you|he|she|they|is|are|was|were|am|has|have|had|do|"
    r"does|did|will|would|can|could|should|may|might)\b|'s\b|'m\b|'re\b|n't\b)",
    re.IGNORECASE,
)


def is_small_talk(text: str) -> bool:
    """Return whether *text* is talk about the call and not about the work."""
    return SMALL_TALK.finds(text)


def denies_blockers(text: str) -> bool:
    """Return whether *text* says that nothing is in the way."""
    return NO_BLOCKERS.finds(text)


def exception(text: str) -> str | None:
    """Return what *text* excepts from "no blockers" (``no blockers except the VPN``), or None."""
    found = _EXCEPTION.search(text)
    return found["what"] if found else None


def resolves(text: str) -> bool:
    """Return whether *text* says that something in the way is gone; "until it is fixed" does not."""
    found = _RESOLVED.search(text)
    return found is not None and not _NOT_YET.search(text[: found.start()])


def refers_back(text: str) -> bool:
    """Return whether *text* speaks of what was said just before it."""
    return _BACK.search(text) is not None


def was_blocked(text: str) -> bool:
    """Return whether *text* tells of a blocker in the past tense."""
    return _WAS_BLOCKED.search(text) is not None


def tense(text: str) -> Kind | None:
    """Return DONE, NEXT or BLOCKER as the words of *text* say, or None; small talk and denials are None."""
    if is_small_talk(text):
        return None
    text = _HEDGE.sub("", text)
    if not denies_blockers(text) and BLOCKERS.finds(text):
        return None if resolves(text) else Kind.BLOCKER
    if not UNFINISHED.finds(text) and DONE.finds(text):
        return Kind.DONE
    return Kind.NEXT if not UNINTENDED.finds(text) and NEXT.finds(text) else None


def is_refused(text: str) -> bool:
    """Return whether *text* says that something was not or will not be done."""
    return UNFINISHED.finds(text) or UNINTENDED.finds(text)


def anchor(text: str) -> Kind | None:
    """Return the kind that a time or a label at the start of *text* announces."""
    return next((kind for kind, pattern in _ANCHORS if pattern.search(text)), None)


def asked_about(question: str) -> Kind | None:
    """Return the kind of answer that *question* asks for."""
    return next((kind for kind, pattern in _ASKED if pattern.search(question)), None)


def continues(text: str) -> bool:
    """Return whether *text* carries on the list before it: by its first word, or as a phrase without a verb."""
    return _CONTINUES.match(text) is not None or _FINITE.search(text) is None
