"""Speech-recognition text made readable: fillers out, lead-ins off, nothing reworded.

Law: numbers, names and identifiers stay letter for letter, and no word is ever added. Pure.
"""

from __future__ import annotations

import re

from standup.summary import Kind
from standup.transcript import plain

LONGEST_CHARACTERS = 240
"""An item longer than this ends at a word with an ellipsis; its evidence has the rest."""

_APOSTROPHES = re.compile("[\u2018\u2019\u02bc]")
# Case matters: "ER" is a diagram and "UM" an acronym, "er" and "Um" are noises.
_NOISES = re.compile(
    r"(?:,\s*)?(?<!\d )\b(?:[Uu]h+m*|[Uu]m+|[Ee]rm?|[Hh]m+|[Mm]m+h?m*)\b(?:\s*(?:,|\.{3}|…))?\s*"
)
_HESITATING = re.compile(r"\b(?:i|we|the|a|to|and|so|is|my|but|for|of|on|in)$", re.IGNORECASE)
_ASIDES = re.compile(
    r",\s*(?:you know|i mean|like|basically|sort of|kind of|right|well|let's see|actually)\s*,\s*|"
    r"(?<!do )(?<!did )(?<!if )(?<!let )\byou know\b(?!\s+(?:that|what|how|if|who|why|where|when|"
    r"about))\s*,?\s*|,?\s*\bby the way\W*$",
    re.IGNORECASE,
)
_STUTTERS = re.compile(
    r"\b(i|we|the|a|to|and|in|of|is|my|on|for|i'm|it's|i'll|that's)(?:\s*[,-]*\s+\1\b)+", re.IGNORECASE
)

# "The churn model the churn model", "on the, on the data", "the, the": said again, and not a figure or a "no, no".
_COUNTING = "two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|\\w+teen|\\w+ty|hundred|thousand|zero|one|half"
_EMPHASIS = "no|yes|yeah|never|very|really|so|too|much|many|more|long|far|bye|ha|now|please|again"
# "Bit by bit by Friday", "again and again and": no slip.
_LINKS = "by|after|to|and|or|for|at|in|of|on|with|from"
_REPEATS = re.compile(
    rf"\b(?!(?:{_COUNTING})\b)((?:[a-z']+\s+){{1,2}}(?!(?:{_COUNTING}|{_LINKS})\b)[a-z']+),?\s+\1\b"
    rf"|\b(?!(?:{_COUNTING}|{_EMPHASIS})\b)([a-z']+),\s+\2\b",
    re.IGNORECASE,
)

_GREETING = re.compile(
    r"^(?:hi|hello|hey|good morning|good afternoon|morning|thanks(?: a lot)?|"
    r"thank you(?: very much)?)\b(?:\s*,?\s*(?:everyone|everybody|all|team|folks|guys|"
    r"there))?\s*(?:[,.!]\s*|\s+|$)",
    re.IGNORECASE,
)
_INTERJECTION = re.compile(
    r"^(?:(?:ok(?:ay)?|alright|all right|yeah|yep|yes|sure|so|well|right|great|cool|nice|oh|ah|and|but|"
    r"also|plus|then|anyway|i (?:also |just )?(?:think|guess|mean)(?: that)?|from my side|on my side|"
    r"for me|from me|me(?=,\s*i\b)|as well as|"
    r"(?:apart|aside) from (?:that|this)|(?:other than|besides) (?:that|this))\b\s*,?\s*)+",
    re.IGNORECASE,
)

_WHEN = re.compile(
    r"^(?:(?:for|on|as for|so|and|since|over)\s+)?(?:the\s+)?(?:yesterday|today|tomorrow|tonight|"
    r"this morning|this afternoon|this week|last week|last night|last \w+day|weekend|(?:mon|tues|wednes|"
    r"thurs|fri)day(?=,?\s+(?:i|we)\b)|then(?=\s+(?:i|we))|earlier|currently|right now|now|at the moment|"
    r"after that|afterwards|later|next up|next(?=\s*[,:]|\s+(?:i|we)\b))(?:\s+(?:morning|afternoon|"
    r"evening))?\b(?!\s+(?:is|was|are|were)\b)\s*[,:]?\s*",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"^(?:what i did|done|completed|next(?: steps?)?|plans?|to-?do|blockers?|decisions?|"
    r"action items?(?:\s+for\s+[\w'-]+)?)\s*[:,.]\s*|^action items?\s+",
    re.IGNORECASE,
)
# What goes on to the next item: "the login page and", "the notes are out. Next".
_CONJUNCTIONS = "and|but|or|because|plus"
_TAIL = re.compile(
    rf"(?:\s+(?:{_CONJUNCTIONS})|,\s*so|[.!?;:]\s+(?:next|then|also|today|tomorrow|yesterday|blockers?|todo))\W*$",
    re.IGNORECASE,
)
# "Move the retro to Thursday, is that okay for everybody?": a question whether the others agree is no part of it.
_TAG = re.compile(
    r"[,.;]\s*(?:(?:(?:all )?right|ok(?:ay)?|yes)(?:\s+(?:for|with)\s+(?:you|all|every\w+)(?:\s+all)?)?|"
    r"(?:(?:is|would) (?:that|it) (?:be )?(?:ok(?:ay)?|fine|good|all ?right|possible)|"
    r"(?:does|would) that (?:work|sound|suit)|sounds? good|any objections?|what do you (?:all )?think|"
    r"(?:is )?every(?:body|one) (?:ok(?:ay)?|fine) with (?:that|it))\b[^.!?,]*)\W*$",
    re.IGNORECASE,
)
_LEADS_ON = re.compile(rf"(?:\s(?:{_CONJUNCTIONS}|so)|[\s,.;:!?])*$", re.IGNORECASE)
#: After "I" these do not say what will be done: "I can", "I was", "I still", "I wanna".
_NOT_BARE = (
    "do|did|can|could|cannot|would|may|might|have|had|has|was|were|wanna|gotta|got|went|still|never|only|really|think|"
    "guess|mean|know|hope|said|told|thought|wish|like|love|feel|suppose|believe|wonder|won't"
)
_ADVERBS = "also|just|already|finally|then|now|currently|mostly|mainly|basically|actually"
_ALSO = rf"(?:(?:{_ADVERBS})\s+)*"
_SUBJECTS = {
    Kind.DONE: re.compile(
        rf"^i(?:'ve| have| had(?=\s+(?:been|\w+ed)\b)|'s| has)?\s+{_ALSO}(?=\w)", re.IGNORECASE
    ),
    Kind.NEXT: re.compile(
        rf"^(?:(?:i(?:'ll| will|'m going to| am going to|'m gonna|'m planning to| am planning to| plan to|"
        rf" want to| need to| have to| hope to| aim to| intend to|'d like to| would like to|'m about to|"
        rf" should| must|'m| am|'s| is)|will|going to|gonna|plan to|"
        rf"planning to)\s+{_ALSO}(?:be\s+(?=\w+ing\b))?"
        rf"|i\s+{_ALSO}(?!(?:{_NOT_BARE}|{_ADVERBS})\b)(?=[a-z]+\b)(?!\w+n't\b)(?!\w+ed\b)"
        r"|what i(?:'m going to|'ll| will| want to| plan to) do(?: next| now| then| today)? is\s+(?:to\s+)?"
        r"|(?:my|the) (?:plan|goal|focus|priority)(?: for today| today)? is\s+(?:to\s+|on\s+)?)",
        re.IGNORECASE,
    ),
    Kind.BLOCKER: re.compile(
        rf"^(?:(?:my|the|our|one|a) (?:only |main |current |biggest )?(?:blocker|impediment|"
        rf"problem)(?: right now| today| at the moment)? is\s+(?:that\s+)?|i(?:'m| am|'s| is)?\s+{_ALSO})",
        re.IGNORECASE,
    ),
    Kind.ACTION: re.compile(
        rf"^(?:(?-i:[A-Z])[\w'-]+,?\s+)?(?:(?:can|could|would|will)\s+(?:you|i|we|somebody|someone|(?-i:[A-Z])[\w'-]+)|"
        rf"(?:i|you|we|somebody|someone)(?:'ll|\s+(?:will|can|could|should|must|need to|have to))|"
        rf"i(?:'m| am) going to|i(?=\s+please\b)|(?:let me|please)(?=\s+\w+))\s+{_ALSO}"
        r"(?:please\s+|maybe\s+|quickly\s+)*",
        re.IGNORECASE,
    ),
    Kind.DECISION: re.compile(
        r"^(?:(?:we(?:'ve| have)?|it's|that's)\s+(?:all\s+)?(?:decided|agreed|settled)(?:\s+(?:to|that|on))?|"
        r"(?:should|shall|can|could|do) we|(?:then )?let's|agreed,?|decided:?|decision:?)\s+(?:just\s+|then\s+)*",
        re.IGNORECASE,
    ),
}


def clean(text: str) -> str:
    """Return *text* on one line without noises, asides and stutters, apostrophes straight."""
    words = _APOSTROPHES.sub("'", plain(text))
    words = _ASIDES.sub(" ", _NOISES.sub(_pause, words))
    words = _REPEATS.sub(r"\1\2", _STUTTERS.sub(r"\1", words))
    return re.sub(r"\s+([,.;!?])", r"\1", " ".join(words.split())).strip(" ,")


def _pause(noise: re.Match[str]) -> str:
    """Return what stands where a noise was: the comma before it, unless the sentence had hardly begun."""
    is_pause = noise[0].startswith(",") and not _HESITATING.search(noise.string[: noise.start()])
    return ", " if is_pause else " "


def strip_lead(text: str) -> str:
    """Return *text* without greetings and interjections at its start; it may become empty."""
    before = None
    while before != text:
        before = text
        text = _INTERJECTION.sub("", _GREETING.sub("", text))
    return text


def strip_when(text: str) -> str:
    """Return *text* without a label or a time at its start (``Today``, ``Yesterday,``, ``Done:``)."""
    return _WHEN.sub("", _LABEL.sub("", strip_lead(text)))


def capitalised(text: str) -> str:
    """Return *text* with a capital first letter; a word with digits or inner capitals is an identifier."""
    first = text.split(" ", 1)[0].replace("'", "").rstrip(",;:")
    return (
        text[:1].upper() + text[1:] if (first.isalpha() and first[1:].islower()) or len(first) == 1 else text
    )


def strip_end(text: str) -> str:
    """Return *text* without what only leads on at its end: punctuation, "and", "so"; it may become empty."""
    return _LEADS_ON.sub("", text)


def phrase(text: str, kind: Kind) -> str:
    """Return the item that *text* is worth: without time, subject and auxiliary, capitalised, not too long.

    Gives an empty text when no words are left.
    """
    bare = strip_when(text)
    if kind in _SUBJECTS:
        before = None
        while before != bare:
            before, bare = bare, _SUBJECTS[kind].sub("", strip_lead(bare))
    return capitalised(_shortened(_TAIL.sub("", _TAG.sub("", strip_lead(bare))).strip(" ,.;:!?-–—")))


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_CHARACTERS:
        return text
    return text[:LONGEST_CHARACTERS].rsplit(" ", 1)[0].rstrip(" ,;:") + " …"
