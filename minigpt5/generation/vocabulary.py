"""The ids of a vocabulary that generation treats specially."""

import torch

from minigpt5.prompt import Tokenizer, token_id
from minigpt5.vokens import IMAGE_PLACEHOLDER, NUM_VOKENS, is_voken, voken_names


class Vocabulary:
    """Looked up once for a tokenizer, an LLM vocabulary size and a number of vokens."""

    def __init__(self, tokenizer: Tokenizer, size: int, num_vokens: int = NUM_VOKENS) -> None:
        self.tokenizer = tokenizer
        self.vokens = tuple(token_id(tokenizer, voken) for voken in voken_names(num_vokens))
        others = {i for token, i in tokenizer.get_added_vocab().items() if is_voken(token)} - {self.vokens[0]}
        self.placeholder = token_id(tokenizer, IMAGE_PLACEHOLDER)
        self.end = tokenizer.eos_token_id
        special = {tokenizer.bos_token_id, tokenizer.unk_token_id} - {self.end, None}
        never = {*others, self.placeholder, *special, *range(len(tokenizer), size)}
        self.never_sampled = torch.tensor(sorted(never))
        self.never_sampled_nor_voken = torch.tensor(sorted(never | {self.vokens[0]}))
