"""Who a story is about, and the faults of a draft as far as the characters go.

A small model forgets names: it calls the hero Pip in one scene and Tilly in the next. So the writer reads a draft
before it is shown and counts as faults: characters without an introduction, a purple cat that becomes "the purple
rabbit", a hero who is first he and then she, a sentence told before and an ending that comes too early. Names are the
author's: where the model introduces a member of the cast under a name of its own, the author's replaces it. Works on
English words alone and knows no engine; texts in other languages have no faults.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

_WORD = re.compile(r"[^\W\d_][\w'’]*")
_SENTENCE_END = re.compile(r"(?:(?<=[.!?])|(?<=[.!?][\"”]))\s+|(?<=[。！？])")
_SENTENCE_STARTS_AFTER = (".", "!", "?", ":", '"', "“", "”", "—")
_INTRODUCTION = re.compile(r"\b(?:named|called|met|[Ii] am|name was|name is) ([A-Z][\w'’]*)")
_MEMBERS = re.compile(r"[,;\n]+|\s+and\s+(?=an?\s|the\s|[A-Z])")
_NAMED_LAST = re.compile(r"(?P<looks>.+?)\s+(?:named|called)\s+(?P<name>\S.*)")
_NAMED_FIRST = re.compile(r"(?P<name>[A-Z][\w'’]*)(?:\s*[:=]|\s+(?:is|the))\s+(?P<looks>.+)")
_NAMED_INSIDE = re.compile(r"\b[Aa]n? ((?:\w+ )?\w+) (?:named|called) ([A-Z][\w'’]*)")
_ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)
_GENDERS = (frozenset(("he", "him", "his")), frozenset(("she", "her", "hers")))
_NEW_LOOKS = re.compile(r"\b(?:an?|and) (\w+) (\w+)")
_KNOWN_LOOKS = re.compile(r"\b(?:the|his|her) (\w+) (\w+)")
_END = re.compile(r"\bthe end\b", re.IGNORECASE)
# words that begin an English sentence with a capital letter and are no names
_OPENERS = frozenset(
    "a after again all already also although always among an and another any around as at away back because before "
    "behind below beside between both but by come cold could dark days deep did do down during each early even evening "
    "every everyone everybody everything far few finally first for from go good goodbye happy hand he hello her here "
    "high him his hooray how however hundreds i if in inside instead into it its just last late later let like little "
    "long look many maybe meanwhile meet more morning most my near never new next night no nobody none not nothing "
    "now of off oh on once one only or other our out outside over perhaps please quickly rain right shall she sit "
    "slowly snow so some somebody something sometimes soon stars still suddenly sun sunset thank that the their them "
    "then there these they this those though three through today together tomorrow too two under until up very wait we "
    "well were what when whenever where wherever which while who whose why will wind with without would yes yesterday "
    "you your".split()
)


@dataclass(frozen=True, slots=True)
class Member:
    """One of the cast: what it looks like ("blue rabbit"), and its name if the author gave one."""

    looks: str
    name: str = ""

    def __str__(self) -> str:
        looks = ("an " if self.looks[:1].lower() in "aeiou" else "a ") + self.looks
        return f"{looks} named {self.name}" if self.name else looks


def read_cast(text: str) -> tuple[Member, ...]:
    """The members that `text` lists: "Pip the blue rabbit, a green cat named Mia and an owl"."""
    entries = (entry.strip(" .") for entry in _MEMBERS.split(text))
    return tuple(_member(entry) for entry in entries if entry)


def named_in(text: str) -> tuple[Member, ...]:
    """The members that a sentence names: "A yellow mouse called Dot gets lost"."""
    return tuple(Member(looks, name) for looks, name in _NAMED_INSIDE.findall(text))


def _member(entry: str) -> Member:
    found = _NAMED_LAST.fullmatch(entry) or _NAMED_FIRST.fullmatch(entry)
    if found is None:
        return Member(_ARTICLE.sub("", entry))
    return Member(_ARTICLE.sub("", found["looks"].strip()), found["name"].strip())


def sentences(text: str) -> list[str]:
    """`text` cut behind the ends of its sentences; the last one may be unfinished."""
    return [sentence for sentence in _SENTENCE_END.split(text) if sentence]


def finished(text: str) -> str:
    """`text` up to the end of its last finished sentence, which something must follow."""
    ends = [match.start() for match in _SENTENCE_END.finditer(text)]
    return text[: ends[-1]].strip() if ends else ""


def names(text: str) -> list[str]:
    """The words that look like names, in order, each once."""
    found: dict[str, None] = {}
    for match in _WORD.finditer(text):
        word, before = match[0], _letter_before(text, match.start())
        starts = before in ("", *_SENTENCE_STARTS_AFTER)
        cries = text.startswith("!", match.end())
        ordinary = re.split("['’]", word.lower())[0] in _OPENERS
        if word[0].isupper() and word.isascii() and not ordinary and not (starts and cries):
            found[re.sub("['’]s$", "", word)] = None
    return list(found)


def _letter_before(text: str, end: int) -> str:
    """The last letter of `text[:end]` that is no white space; "" where there is none."""
    while end and text[end - 1].isspace():
        end -= 1
    return text[end - 1 : end] if end else ""


def faults(draft: str, told: Sequence[str], known: str, *, members: int, last: bool) -> int:
    """The number of faults of `draft`, which follows the scenes `told`; `known` holds the author's own words."""
    heard = {word.lower() for word in _WORD.findall(" ".join((known, *told)))}
    strangers = [name for name in names(draft) if name.lower() not in heard]
    welcome = max(1, members) if not told else len(set(_INTRODUCTION.findall(draft)) & set(strangers))
    cast_size = max(members, len(names(" ".join(told))))
    early = bool(_END.search(draft)) and not last
    changed = _changed_looks(draft, " ".join((known, *told)))
    repeated = len(set(sentences(draft)) & {sentence for text in told for sentence in sentences(text)})
    once = _changes_gender(draft, told, cast_size) + early + repeated
    return 6 * changed + 2 * max(0, len(strangers) - welcome) + once


def _changed_looks(draft: str, heard: str) -> int:
    """How many things `draft` speaks of as known ("the purple rabbit") that were shown as something else."""
    shown = set(_NEW_LOOKS.findall(f"{heard} {draft}".lower()))
    qualities = {quality for quality, _ in shown}
    return sum(
        pair not in shown and pair[0] in qualities for pair in set(_KNOWN_LOOKS.findall(draft.lower()))
    )


def _changes_gender(draft: str, told: Sequence[str], cast_size: int) -> bool:
    """Whether the only character so far is he here and she there."""
    if cast_size > 1:
        return False
    words = {word.lower() for text in (*told, draft) for word in _WORD.findall(text)}
    return all(words & gender for gender in _GENDERS)


def christen(draft: str, told: Sequence[str], cast: Sequence[Member]) -> str:
    """`draft` in which members of the cast bear the author's names from their introduction on."""
    heard = " ".join(told)
    for member in cast:
        if member.name and member.name not in f"{heard} {draft}":
            draft = _introduced(draft, heard, member)
    return draft


def _introduced(draft: str, heard: str, member: Member) -> str:
    """`draft` with the one new name of the sentence that shows `member` made its own."""
    kind = member.looks.split()[-1].lower()
    for sentence in sentences(draft):
        new = [name for name in names(sentence) if name not in heard]
        if len(new) == 1 and kind in sentence.lower():
            return re.sub(rf"\b{re.escape(new[0])}\b", member.name, draft)
    return draft
