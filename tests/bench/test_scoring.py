"""The scorer of the notes benchmark: what counts as right, wrong, missed and invented."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.bench.matching import Prediction, paired
from standup.bench.scoring import Notes, Relation, Tally, is_invented, score, score_continuity
from standup.bench.standups import Gold, GoldRelation, Standup
from standup.bench.words import content, share, words
from standup.meeting import Participant
from standup.summary import Kind
from standup.transcript import Transcript, Utterance

PEOPLE = (Participant("p1", "Ann"), Participant("p2", "Bo"))
SPOKEN = {
    "u1": ("p1", "Yesterday I fixed the login page, the footer and the banner of release 4.2."),
    "u2": ("p2", "I wrote the invoice import, and I wrote the audit report for 17 customers."),
    "u3": ("p1", "I can't test because the staging database is down."),
    "u4": ("p2", "Somebody cleaned the wiki, I think."),
}
LOGIN = Gold(Kind.DONE, ("login page", "footer", "banner"), ("u1",), "p1")
INVOICE = Gold(Kind.DONE, ("invoice import",), ("u2",), "p2")
AUDIT = Gold(Kind.DONE, ("audit report", "17 customers"), ("u2",), "p2")
STAGING = Gold(Kind.BLOCKER, ("staging database",), ("u3",), "p1")
WIKI = Gold(Kind.DONE, ("wiki",), ("u4",), None, is_optional=True)
EVERY = (LOGIN, INVOICE, AUDIT, STAGING, WIKI)


def standup(
    gold: Sequence[Gold], spoken: dict[str, tuple[str, str]] | None = None, **more: object
) -> Standup:
    utterances = tuple(
        Utterance(name, speaker, 1000 * place, 1000 * place + 900).heard(text)
        for place, (name, (speaker, text)) in enumerate((spoken or SPOKEN).items())
    )
    values: dict[str, object] = {"said": {}} | more
    return Standup("01-plain", "plain", "written", Transcript("", PEOPLE, utterances), tuple(gold), **values)  # type: ignore[arg-type]


def said(gold: Gold) -> Prediction:
    """The item that a perfect note-taker writes for a gold item."""
    return Prediction(gold.kind, " ".join(gold.phrases), gold.evidence, gold.person)


def done(text: str, evidence: str, person: str | None = None) -> Prediction:
    return Prediction(Kind.DONE, text, tuple(evidence.split()), person)


def tally(gold: Sequence[Gold], predictions: Sequence[Prediction]) -> Tally:
    return score(standup(gold), Notes(tuple(predictions))).overall


def test_perfect_notes() -> None:
    """Notes that say the gold in its own words have every figure at 1."""
    found = tally(EVERY, [said(one) for one in EVERY])
    assert (found.right, found.missed, found.wrong, found.invented) == (4, 0, 0, 0)
    assert (found.precision, found.recall, found.f1, found.attribution) == (1, 1, 1, 1)


def test_empty_notes() -> None:
    """Notes without an item find nothing and say nothing wrong."""
    found = tally(EVERY, [])
    assert (found.precision, found.recall, found.f1, found.missed) == (1, 0, 0, 4)


def test_nothing_to_find() -> None:
    """Where nothing is required, empty notes are perfect and any item is wrong."""
    assert tally([], []).f1 == 1
    assert tally([], [done("Fixed the footer", "u1", "p1")]).f1 == 0


@pytest.mark.parametrize(
    ("gold", "predictions", "right", "missed", "wrong"),
    [
        pytest.param([LOGIN], [done("The login page's footer", "u1", "p1")], 1, 0, 0, id="half of the words"),
        pytest.param([LOGIN], [done("Fixed the banner", "u1", "p1")], 0, 1, 1, id="too few of the words"),
        pytest.param([LOGIN], [done("Login page and footer", "", "p1")], 1, 0, 0, id="no evidence cited"),
        pytest.param([INVOICE], [done("Invoice import", "u4", "p2")], 0, 1, 1, id="another utterance"),
        pytest.param([INVOICE], [done("Invoice import", "u1 u2", "p2")], 1, 0, 0, id="one utterance shared"),
        pytest.param([INVOICE], [done("Importing invoices", "u2", "p2")], 1, 0, 0, id="other endings"),
        pytest.param(
            [STAGING], [done("Staging database down", "u3", "p1")], 0, 1, 1, id="another kind of item"
        ),
        pytest.param([INVOICE], [said(INVOICE), said(INVOICE)], 1, 0, 1, id="said twice"),
        pytest.param(
            [INVOICE, AUDIT],
            [done("Wrote the invoice import and the audit report for 17 customers", "u2", "p2")],
            2,
            0,
            0,
            id="joined",
        ),
        pytest.param(
            [INVOICE, LOGIN],
            [done("Invoice import, login page, footer", "u1 u2", "p2")],
            1,
            1,
            0,
            id="not joined across utterances",
        ),
        pytest.param(
            [LOGIN],
            [done("Fixed the login page", "u1", "p1"), done("Fixed the footer", "u1", "p1")],
            1,
            0,
            0,
            id="split",
        ),
        pytest.param(
            [LOGIN],
            [done("Fixed the banner", "u1", "p1"), done("Fixed the footer", "u1", "p1")],
            1,
            0,
            0,
            id="split into parts that hold together only",
        ),
        pytest.param(
            [LOGIN],
            [done("Fixed the login page", "u1", "p1"), done("Fixed the page", "u1", "p1")],
            1,
            0,
            1,
            id="a part said before is no split",
        ),
        pytest.param([WIKI], [], 0, 0, 0, id="optional left out"),
        pytest.param([WIKI], [said(WIKI)], 0, 0, 0, id="optional said"),
        pytest.param([WIKI], [done("Cleaned the wiki", "u4", "p2")], 0, 0, 1, id="optional of somebody else"),
    ],
)
def test_what_counts(
    gold: list[Gold], predictions: list[Prediction], right: int, missed: int, wrong: int
) -> None:
    """Each rule of the module docstring, alone."""
    found = tally(gold, predictions)
    assert (found.right, found.missed, found.wrong) == (right, missed, wrong)


def test_joined_and_split_are_counted() -> None:
    """The allowances can be seen in the figures."""
    joined = tally([INVOICE, AUDIT], [done("Invoice import and audit report for 17 customers", "u2", "p2")])
    split = tally([LOGIN], [done("The login page", "u1", "p1"), done("The footer", "u1", "p1")])
    assert (joined.joined, joined.split, split.joined, split.split) == (1, 0, 0, 1)


def test_a_wrong_person_costs_twice() -> None:
    """It is neither right for F1 nor for attribution."""
    found = tally([LOGIN, INVOICE], [said(LOGIN), done("Invoice import", "u2", "p1")])
    assert (found.right, found.missed, found.wrong) == (1, 1, 1)
    assert (found.f1, found.attribution) == (0.5, 0.5)


def test_the_right_person_comes_first() -> None:
    """Of two predictions that fit, the one with the right person is paired, whatever their order."""
    own, other = said(INVOICE), done("The invoice import", "u2", "p1")
    for order in permutations([own, other]):
        assert tally([INVOICE], order).right == 1


def test_required_gold_comes_before_optional() -> None:
    """A prediction that fits both counts as the required one."""
    optional = Gold(Kind.DONE, ("invoice",), ("u2",), "p2", is_optional=True)
    assert tally([optional, INVOICE], [said(INVOICE)]).right == 1


def test_kinds_are_counted_apart() -> None:
    """Each kind has its own figures."""
    kinds = score(standup(EVERY), Notes((said(STAGING),))).kinds
    assert (kinds[Kind.BLOCKER].recall, kinds[Kind.DONE].recall, kinds[Kind.NEXT].recall) == (1, 0, 1)


def test_mistakes_are_named() -> None:
    """The score holds what was missed, what is wrong and what is invented."""
    fancy = done("Painted the bike shed", "u1", "p1")
    found = score(standup([LOGIN, STAGING]), Notes((said(LOGIN), fancy)))
    assert (found.missed, found.wrong, found.invented) == ((STAGING,), (fancy,), (fancy,))


@pytest.mark.parametrize(
    ("prediction", "expected"),
    [
        pytest.param(done("Fixed the login page", "u1", "p1"), False, id="said so"),
        pytest.param(done("Repaired the login page", "u1", "p1"), False, id="a word of one's own"),
        pytest.param(done("Repainted the garden page", "u1", "p1"), True, id="too many words of one's own"),
        pytest.param(done("Login page of release 4.3", "u1", "p1"), True, id="another number"),
        pytest.param(done("Login page of release 4.2", "u1", "p1"), False, id="the number that was said"),
        pytest.param(
            done("Audit report for seventeen customers", "u2", "p2"), False, id="a number spelt out"
        ),
        pytest.param(done("Invoice import", "u1", "p2"), True, id="said elsewhere than cited"),
        pytest.param(done("Invoice import", "", "p2"), False, id="said somewhere, nothing cited"),
        pytest.param(done("Login page", "u1 u9", "p1"), True, id="an utterance that does not exist"),
        pytest.param(done("Login page", "u1", "p9"), True, id="somebody who was not there"),
        pytest.param(done("I think", "u4", "p2"), False, id="nothing but function words, all said"),
        pytest.param(
            Prediction(Kind.DONE, "Login page", ("u1",), "p1", due="by Friday"), True, id="a due nobody said"
        ),
    ],
)
def test_what_is_invented(prediction: Prediction, expected: bool) -> None:
    """An item is invented when it says, cites or names what the transcript does not hold."""
    assert is_invented(prediction, standup(EVERY)) is expected


def test_an_invented_item_is_never_right() -> None:
    """An item with the right words and a false number finds nothing."""
    found = tally([AUDIT], [done("Audit report for 18 customers", "u2", "p2")])
    assert (found.right, found.wrong, found.invented) == (0, 1, 1)


def test_mending_a_misheard_word_is_right() -> None:
    """Where speech was recognised, the words that were spoken count as well as those recognised."""
    heard = {"u1": ("p1", "I fixed the lock in patch")}
    gold = Gold(Kind.DONE, ("lock in patch",), ("u1",), "p1", spoken=("login page",))
    one = standup([gold], heard, said={"u1": "I fixed the login page"})
    for text in ("Fixed the lock in patch", "Fixed the login page"):
        found = score(one, Notes((done(text, "u1", "p1"),))).overall
        assert (found.right, found.invented) == (1, 0)


RELATIONS = (GoldRelation("finished", LOGIN, AUDIT), GoldRelation("dropped", STAGING, None))


@pytest.mark.parametrize(
    ("predicted", "right", "wrong"),
    [
        pytest.param([("finished", "Login page, footer", "Audit report for 17")], 1, 0, id="right"),
        pytest.param([("carried", "Login page, footer", "Audit report for 17")], 0, 1, id="another relation"),
        pytest.param([("finished", "Login page, footer", "Something")], 0, 1, id="another item today"),
        pytest.param([("finished", "Login page, footer", None)], 0, 1, id="no item today"),
        pytest.param([("dropped", "Staging database", None)] * 2, 1, 1, id="said twice"),
        pytest.param([], 0, 0, id="nothing"),
    ],
)
def test_continuity(predicted: list[tuple[str, str, str | None]], right: int, wrong: int) -> None:
    """A relation is right when its name and both its items are."""
    found = score_continuity(RELATIONS, [Relation(*one) for one in predicted])
    assert (found.right, found.missed, found.wrong) == (right, 2 - right, wrong)


def test_continuity_is_scored_where_it_is_told() -> None:
    """Notes that do not look at the day before, and standups without one, have no such figure."""
    second = standup(EVERY, previous="00-plain", continuity=RELATIONS)
    told = Notes((), continuity=(Relation("dropped", "staging database", None),))
    assert score(second, Notes(())).continuity is None
    assert score(standup(EVERY), told).continuity is None
    assert score(second, told).continuity == Tally(right=1, missed=1)


EDGES = st.dictionaries(st.integers(0, 5), st.lists(st.integers(0, 5), unique=True), max_size=6)


@given(EDGES)
def test_pairs_are_as_many_as_can_be(edges: dict[int, list[int]]) -> None:
    """A pairing is one to one, along edges, and no choice of partners has more pairs."""

    def most(lefts: list[int], taken: frozenset[int]) -> int:
        if not lefts:
            return 0
        first, *rest = lefts
        with_first = [1 + most(rest, taken | {right}) for right in edges[first] if right not in taken]
        return max([most(rest, taken), *with_first])

    found = paired(edges)
    assert all(right in edges[left] for left, right in found.items())
    assert len(set(found.values())) == len(found) == most(list(edges), frozenset())


@given(EDGES, EDGES)
def test_a_pairing_begun_is_not_given_up(some: dict[int, list[int]], more: dict[int, list[int]]) -> None:
    """Whoever had a partner in the pairing begun has one in the result."""
    edges = {left: some.get(left, []) + more.get(left, []) for left in some.keys() | more.keys()}
    begun = paired(some)
    result = paired(edges, begun)
    assert begun.keys() <= result.keys()
    assert set(begun.values()) <= set(result.values())


@st.composite
def standups(draw: st.DrawFn) -> Standup:
    """Standups whose gold phrases stand in their evidence."""
    vocabulary = st.sampled_from("login footer banner invoice audit 17 4.2 the staging wiki of two".split())
    phrase = st.lists(vocabulary, min_size=1, max_size=4).map(" ".join)
    spoken: dict[str, tuple[str, str]] = {"u0": ("p1", "hello")}
    gold = []
    for place in range(draw(st.integers(0, 6))):
        evidence = f"u{draw(st.integers(1, 3))}"
        person = draw(st.sampled_from(["p1", "p2", None]))
        phrases = tuple(draw(st.lists(phrase, min_size=1, max_size=3)))
        gold.append(Gold(draw(st.sampled_from(Kind)), phrases, (evidence,), person, draw(st.booleans())))
        before = spoken.get(evidence, ("p2", ""))[1]
        spoken[evidence] = ("p2", f"{before} {' '.join(phrases)} {place}")
    return standup(gold, spoken)


@given(standups())
def test_gold_against_itself(one: Standup) -> None:
    """Whatever the gold, notes that say it are perfect."""
    found = score(one, Notes(tuple(said(gold) for gold in one.gold))).overall
    assert (found.f1, found.attribution, found.wrong, found.invented) == (1, 1, 0, 0)


@given(standups(), st.randoms())
def test_the_order_of_the_notes_does_not_matter(one: Standup, random: object) -> None:
    """Items may come in any order."""
    items = [said(gold) for gold in one.gold]
    random.shuffle(items)  # type: ignore[attr-defined]
    assert score(one, Notes(tuple(items))).overall.f1 == 1


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("I've finished the login page", {"login", "page"}, id="function and kind words aside"),
        pytest.param("v2.3.1 of ENG-1042", {"v", "2.3.1", "eng", "1042"}, id="ids come apart"),
        pytest.param("48,112 rows, twelve failed", {"48112", "rows", "12", "failed"}, id="numbers as digits"),
        pytest.param("It's done", {"it", "done"}, id="nothing but function words"),
        pytest.param("Zoë’s Büro", {"zoë", "büro"}, id="letters of any alphabet"),
        pytest.param("", set(), id="empty"),
    ],
)
def test_content_words(text: str, expected: set[str]) -> None:
    """What a sentence is about is left of it."""
    assert content(text) == expected


@pytest.mark.parametrize(
    ("wanted", "there", "expected"),
    [
        pytest.param("migration", "migrating the rest", 1.0, id="endings"),
        pytest.param("behaviour", "behavior", 1.0, id="spellings"),
        pytest.param("query log", "queries", 0.5, id="a plural"),
        pytest.param("1042", "1043", 0.0, id="numbers are exact"),
        pytest.param("login", "logic", 0.0, id="another word"),
        pytest.param("", "anything", 1.0, id="nothing wanted"),
    ],
)
def test_words_are_compared_by_stem_and_likeness(wanted: str, there: str, expected: float) -> None:
    """The share of the wanted words that stand there."""
    assert share(words(wanted), words(there)) == expected
