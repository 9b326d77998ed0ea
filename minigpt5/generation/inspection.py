"""A reply looked into: the tokens around it as people can read them, and which voken moved which conditioning vector."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from minigpt5.generation.vocabulary import Vocabulary
from minigpt5.model.connector import Connector
from minigpt5.prompt import Tokenizer
from minigpt5.vokens import voken_names

TokenKind = Literal["text", "control", "picture", "voken"]
WORD_START = "\u2581"  # how SentencePiece writes the space before a word


@dataclass(frozen=True, slots=True)
class Token:
    """One token. A "picture" is seen (its id stands for all query tokens), a "voken" is drawn."""

    id: int
    text: str
    kind: TokenKind


@dataclass(frozen=True, slots=True)
class Inspection:
    """The prompt and the reply as tokens; each picture of the prompt takes `tokens_per_picture` positions."""

    prompt: tuple[Token, ...]
    reply: tuple[Token, ...]
    tokens_per_picture: int
    dropped_turns: int


def readable(ids: Sequence[int], tokenizer: Tokenizer, vocabulary: Vocabulary) -> tuple[Token, ...]:
    """`ids` as tokens; `[IMG0]` is followed by those that are always forced after it."""
    tokens: list[Token] = []
    for token_id in ids:
        if token_id == vocabulary.vokens[0]:
            names = voken_names(len(vocabulary.vokens))
            tokens += [Token(v, word, "voken") for v, word in zip(vocabulary.vokens, names, strict=True)]
            continue
        kind: TokenKind = "picture" if token_id == vocabulary.placeholder else "text"
        if token_id in tokenizer.all_special_ids and kind == "text":
            kind = "control"
        word = str(tokenizer.convert_ids_to_tokens(token_id))
        tokens.append(Token(token_id, word.replace(WORD_START, " "), kind))
    return tuple(tokens)


@torch.inference_mode()
def voken_influence(mapper: Connector, vokens: np.ndarray) -> np.ndarray:
    """(V,L): the relative change of each vector of prompt_embeds when one of the vokens (V,D) is put to zero."""
    features = torch.from_numpy(vokens).to(next(mapper.parameters()).device)
    kept = 1 - torch.eye(len(features), device=features.device)
    batch = torch.cat([features[None], features * kept[..., None]])  # (1+V,V,D)
    whole, *without = mapper(batch).float()  # (L,C) each
    change = (torch.stack(without) - whole).norm(dim=-1) / whole.norm(dim=-1)
    return change.cpu().numpy()
