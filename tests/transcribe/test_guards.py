"""What speech recognition may be believed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from standup.transcribe import Reading, Word, guards


def words_of(text: str) -> tuple[Word, ...]:
    """Return the words of *text*, one a third of a second."""
    return tuple(Word(f" {one}", at / 3, at / 3 + 0.3) for at, one in enumerate(text.split()))


def reading_of(text: str, **doubts: float) -> Reading:
    """Return a confident reading of *text* but for *doubts*."""
    return Reading(words_of(text), **{"avg_logprob": -0.2, "no_speech_prob": 0.05, **doubts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("duration_ms", "levels_db", "reason"),
    [
        pytest.param(199, [-10.0], guards.TOO_SHORT, id="shorter than any word"),
        pytest.param(200, [-10.0], None, id="long enough"),
        pytest.param(2000, [-90.0, -61.0], guards.TOO_QUIET, id="noise floor"),
        pytest.param(2000, [-90.0, -59.0], None, id="one audible moment is enough"),
        pytest.param(2000, [], guards.TOO_QUIET, id="nothing captured"),
    ],
)
def test_audio_that_cannot_hold_a_word_is_not_read(
    duration_ms: int, levels_db: list[float], reason: str | None
) -> None:
    """Too short or too quiet is silence before any model is asked."""
    assert guards.silence_reason(duration_ms, levels_db) == reason


@pytest.mark.parametrize("text", ["Yes.", "No.", "Okay.", "Thank you.", "Bye.", "No blockers.", "Same here."])
@pytest.mark.parametrize("duration_ms", [300, 900, 2000])
def test_an_honest_short_reply_is_kept(text: str, duration_ms: int) -> None:
    """People say short things; only the engine's own doubt may drop them."""
    reading = reading_of(text)

    assert guards.drop_reason(reading, reading.words, duration_ms) is None


@pytest.mark.parametrize(
    ("text", "doubts", "duration_ms", "reason"),
    [
        pytest.param("", {}, 2000, guards.NO_WORDS, id="nothing"),
        pytest.param(". . .", {}, 2000, guards.NO_WORDS, id="punctuation only"),
        pytest.param(
            "I'm going to do that.",
            {"no_speech_prob": 0.7, "avg_logprob": -1.1},
            2000,
            guards.NO_SPEECH,
            id="the engine doubts itself twice",
        ),
        pytest.param("Yes.", {"no_speech_prob": 0.9}, 2000, None, id="one doubt is not enough"),
        pytest.param("Yes.", {"avg_logprob": -1.5}, 2000, None, id="nor is the other"),
        pytest.param("go on and " * 4, {}, 9000, guards.REPETITION, id="a loop"),
        pytest.param("so " * 6, {}, 9000, guards.REPETITION, id="a stutter"),
        pytest.param("no no no", {}, 2000, None, id="people do repeat themselves"),
        pytest.param("Thanks for watching!", {}, 800, guards.PHRASE, id="a known invention, short"),
        pytest.param(
            "Thank you for watching.", {"no_speech_prob": 0.4}, 3000, guards.PHRASE, id="and doubtful"
        ),
        pytest.param("Thanks for watching!", {}, 3000, None, id="said at length and clearly"),
        pytest.param("Subtitles by the community", {}, 900, guards.PHRASE, id="a credit line"),
        pytest.param("you", {}, 400, guards.PHRASE, id="the word for silence"),
        pytest.param("Thank you.", {"no_speech_prob": 0.86}, 3000, guards.PHRASE, id="what music says"),
        pytest.param(
            "Thank you. Thank you.", {"no_speech_prob": 0.9}, 900, guards.PHRASE, id="and says again"
        ),
        pytest.param("Thank you.", {"no_speech_prob": 0.75}, 900, None, id="what people say"),
        pytest.param("Thank you.", {"no_speech_prob": 0.4}, 200, guards.PHRASE, id="too quick for people"),
        pytest.param("Thank you, Ana.", {"no_speech_prob": 0.9}, 900, None, id="and to whom"),
        pytest.param("Thanks for watching the build.", {}, 3000, None, id="an honest sentence like it"),
    ],
)
def test_only_what_is_surely_invented_is_dropped(
    text: str, doubts: dict[str, float], duration_ms: int, reason: str | None
) -> None:
    """Each rule drops what it is for and nothing beside it."""
    reading = reading_of(text, **doubts)

    assert guards.drop_reason(reading, reading.words, duration_ms) == reason


PROMPT = "Names and terms: Ana, Ben Lee, Grafana, Keycloak, node.js."


@pytest.mark.parametrize(
    ("text", "doubts", "duration_ms", "reason"),
    [
        pytest.param(
            "Ana, Ben Lee, Grafana.", {"no_speech_prob": 0.4}, 3000, guards.ECHO, id="no speech, perhaps"
        ),
        pytest.param("Ana, Ben Lee, Grafana", {"avg_logprob": -1.1}, 3000, guards.ECHO, id="a guess"),
        pytest.param("Ben Lee, Grafana, Keycloak", {}, 700, guards.ECHO, id="faster than anybody speaks"),
        pytest.param(
            "Lee, Grafana, Keycloak, node.js", {"no_speech_prob": 0.4}, 3000, guards.ECHO, id="from within"
        ),
        pytest.param(PROMPT, {"no_speech_prob": 0.4}, 5000, guards.ECHO, id="all of it"),
        pytest.param("Ana, Ben Lee, Grafana.", {}, 3000, None, id="said clearly: somebody calls the roll"),
        pytest.param("Ana, Ben Lee", {"no_speech_prob": 0.4}, 3000, None, id="two are no list"),
        pytest.param("Grafana, Ana, Ben", {"no_speech_prob": 0.4}, 3000, None, id="another order"),
        pytest.param("Ana, Ben, Grafana", {"no_speech_prob": 0.4}, 3000, None, id="half a name"),
        pytest.param(
            "Ana, Ben Lee, Grafana is up", {"no_speech_prob": 0.4}, 3000, None, id="and a word of one's own"
        ),
    ],
)
def test_an_echo_of_the_prompt_is_dropped(
    text: str, doubts: dict[str, float], duration_ms: int, reason: str | None
) -> None:
    """Three or more terms as the prompt has them, and nothing else, are believed only when they were surely said."""
    reading = reading_of(text, **doubts)

    assert guards.drop_reason(reading, reading.words, duration_ms, PROMPT) == reason


ORDINARY = {
    "English": "I finished the login page yesterday and today I will start with the payment form. The tests for the "
    "new service are still failing on the build server, so I need some help from Peter. After lunch I want to "
    "look at the database migration again, because the last one took almost an hour.",
    "Russian": "Вчера я закончил страницу входа, а сегодня начну работать над формой оплаты. Тесты для нового сервиса "
    "всё ещё падают на сервере сборки, поэтому мне нужна помощь Петра. После обеда я хочу ещё раз посмотреть на "
    "миграцию базы данных, потому что последняя заняла почти час.",
    "Georgian": "გუშინ დავასრულე შესვლის გვერდი და დღეს დავიწყებ გადახდის ფორმაზე მუშაობას. ახალი სერვისის ტესტები "
    "ჯერ კიდევ არ გადის სერვერზე, ამიტომ პეტრეს დახმარება მჭირდება. სადილის შემდეგ კიდევ ერთხელ მინდა შევხედო "
    "მონაცემთა ბაზის მიგრაციას, რადგან ბოლო მიგრაციას თითქმის ერთი საათი დასჭირდა.",
    "Tamil": "நேற்று நான் உள்நுழைவு பக்கத்தை முடித்தேன், இன்று கட்டண படிவத்தில் வேலை செய்யத் தொடங்குவேன். புதிய "
    "சேவைக்கான சோதனைகள் இன்னும் சேவையகத்தில் தோல்வியடைகின்றன, அதனால் எனக்கு பீட்டரின் உதவி தேவை. மதிய "
    "உணவுக்குப் பிறகு தரவுத்தள மாற்றத்தை மீண்டும் பார்க்க விரும்புகிறேன், ஏனெனில் கடைசி மாற்றம் கிட்டத்தட்ட ஒரு "
    "மணி நேரம் எடுத்தது.",
    "Thai": "เมื่อวานผมทำหน้าเข้าสู่ระบบเสร็จแล้ว วันนี้ผมจะเริ่มทำแบบฟอร์มการชำระเงิน การทดสอบของบริการใหม่ยังไม่ผ่านบนเซิร์ฟเวอร์ "
    "ผมจึงต้องการความช่วยเหลือจากปีเตอร์ หลังอาหารกลางวันผมอยากดูการย้ายฐานข้อมูลอีกครั้ง เพราะครั้งล่าสุดใช้เวลาเกือบหนึ่งชั่วโมง "
    "แล้วเราก็ต้องรอข้อมูลจากทีมอื่นก่อนที่จะเริ่มงานใหม่ได้",
    "Hindi": "कल मैंने लॉगिन पेज पूरा कर लिया और आज मैं भुगतान फॉर्म पर काम शुरू करूँगा। नई सेवा के टेस्ट अभी भी बिल्ड "
    "सर्वर पर फेल हो रहे हैं, इसलिए मुझे पीटर की मदद चाहिए। दोपहर के खाने के बाद मैं डेटाबेस माइग्रेशन को फिर से "
    "देखना चाहता हूँ, क्योंकि पिछली बार लगभग एक घंटा लगा था।",
    "Chinese": "昨天我完成了登录页面，今天我会开始做付款表单。新服务的测试在构建服务器上仍然失败，"
    "所以我需要彼得的帮助。午饭后我想再看一下数据库迁移，因为上一次花了将近一个小时。",
    "more characters than a byte": "".join(map(chr, range(0x4E00, 0x4E00 + 600))),
}
PHRASES = {
    "English": "and then we can go on",
    "Russian": "а потом мы можем продолжить",
    "Georgian": "და მერე შეგვიძლია გავაგრძელოთ",
    "Tamil": "பிறகு நாம் தொடரலாம்",
    "Thai": "แล้วเราก็ทำต่อได้",
    "Hindi": "और फिर हम आगे बढ़ सकते हैं",
    "Chinese": "然后我们可以继续",
}


@pytest.mark.parametrize("text", ORDINARY.values(), ids=ORDINARY)
def test_ordinary_speech_is_no_loop(text: str) -> None:
    """What people say is kept in every script, however many bytes its letters take."""
    reading = reading_of(text)

    assert not guards.is_suspicious(reading)
    assert guards.drop_reason(reading, reading.words, 20_000) is None


@pytest.mark.parametrize("phrase", PHRASES.values(), ids=PHRASES)
def test_a_loop_is_one_in_every_script(phrase: str) -> None:
    """A phrase said eight times in one breath, without words to tell apart, is a loop in every script."""
    words = (Word(" ".join([phrase] * 8), 0.0, 20.0),)

    assert guards.drop_reason(Reading(words, -0.2, 0.05), words, 20_000) == guards.REPETITION


@pytest.mark.parametrize("phrase", PHRASES.values(), ids=PHRASES)
def test_saying_it_twice_is_no_loop(phrase: str) -> None:
    """People say a thing twice, in every script."""
    words = (Word(f"{phrase} {phrase}", 0.0, 5.0),)

    assert guards.drop_reason(Reading(words, -0.2, 0.05), words, 5_000) is None


def test_a_loop_amid_many_characters() -> None:
    """A loop behind text of more characters than a byte tells apart is found all the same."""
    rare = "".join(map(chr, range(0x4E00, 0x4E00 + 300)))
    words = (Word(rare + PHRASES["Chinese"] * 300, 0.0, 30.0),)

    assert guards.drop_reason(Reading(words, -0.2, 0.05), words, 30_000) == guards.REPETITION


@pytest.mark.parametrize(
    ("reading", "is_suspicious"),
    [
        pytest.param(reading_of("I finished the login page."), False, id="plain speech"),
        pytest.param(reading_of("Yes.", avg_logprob=-1.2), True, id="a guess"),
        pytest.param(reading_of("Yes.", is_cut=True), True, id="cut at the limit"),
        pytest.param(reading_of("can you hear me can you hear me"), True, id="an end said twice"),
        pytest.param(reading_of("Nothing. nothing"), True, id="a reply said twice"),
        pytest.param(reading_of("no no, not yet"), False, id="said twice, but not at the end"),
        pytest.param(reading_of("ha " * 60), True, id="compresses too well"),
        pytest.param(reading_of(""), False, id="nothing"),
    ],
)
def test_a_suspicious_reading_is_made_again(reading: Reading, is_suspicious: bool) -> None:
    """A loop, a cut or a guess is worth a second, slower look."""
    assert guards.is_suspicious(reading) is is_suspicious


@pytest.mark.parametrize(
    ("count", "duration_ms", "is_starved"),
    [
        pytest.param(0, 300, True, id="a reply left out"),
        pytest.param(1, 300, False, id="a reply"),
        pytest.param(0, 1000, True, id="a second without a word"),
        pytest.param(1, 2000, False, id="half a word a second"),
        pytest.param(1, 2001, True, id="less than that"),
    ],
)
def test_speech_with_too_few_words_is_starved(count: int, duration_ms: int, is_starved: bool) -> None:
    """Words missed inside a window show as an utterance with hardly any."""
    assert guards.is_starved(words_of("x " * count), duration_ms) is is_starved


@pytest.mark.parametrize(
    ("reason", "duration_ms", "is_failure"),
    [
        pytest.param(guards.REPETITION, 1000, True, id="a loop over real speech"),
        pytest.param(guards.REPETITION, 999, False, id="a loop over a noise"),
        pytest.param(guards.ECHO, 1000, True, id="an echo over real speech"),
        pytest.param(guards.NO_SPEECH, 9000, False, id="verified silence"),
    ],
)
def test_speech_lost_to_a_loop_or_echo_is_owned_up_to(
    reason: str, duration_ms: int, is_failure: bool
) -> None:
    """Where somebody surely spoke and only a loop or echo was read, the notes must not call it silence."""
    assert guards.is_failure(reason, duration_ms) is is_failure


@given(
    st.text(max_size=200), st.integers(0, 20_000), st.floats(0, 1), st.floats(-5, 0), st.text(max_size=200)
)
def test_the_guards_take_any_text(
    text: str, duration_ms: int, no_speech: float, logprob: float, prompt: str
) -> None:
    """Whatever an engine writes and was told, the guards give a known reason or none."""
    reading = reading_of(text, no_speech_prob=no_speech, avg_logprob=logprob)
    known = {None, guards.NO_WORDS, guards.NO_SPEECH, guards.REPETITION, guards.PHRASE, guards.ECHO}

    assert guards.drop_reason(reading, reading.words, duration_ms, prompt) in known
