"""Models with fewer and with more vokens than the paper's eight: trained from the command line, loaded, drawn with."""

import pytest
import torch
from tiny_folder import words, write_chats, write_model

import minigpt5
from minigpt5.__main__ import main
from minigpt5.checkpoint.build import load_model
from minigpt5.conversation import Conversation
from minigpt5.errors import OptionError
from minigpt5.generation.vocabulary import Vocabulary
from minigpt5.options import GenerationOptions
from minigpt5.prompt import encode_caption
from minigpt5.vokens import control_tokens, voken_names

CHAT = Conversation().user("Draw a blue rabbit.")
DRAWN = GenerationOptions(seed=3, max_new_tokens=6, num_inference_steps=2, pictures="always")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    place = tmp_path_factory.mktemp("vokens")
    write_model(place / "model")
    write_chats(place)
    return place


@pytest.fixture(scope="module", params=[4, 16])
def grown(request, folder):
    out = folder / f"with-{request.param}"
    main(words(folder, out, "--vokens", str(request.param), steps=2))
    return request.param, out


def test_a_model_with_another_number_of_vokens_is_trained_loaded_and_drawn_with(grown):
    count, out = grown
    engine = minigpt5.load(out)
    reply = engine.reply(CHAT, DRAWN)
    (vokens,) = (part.vokens for part in reply.message.parts if getattr(part, "vokens", None) is not None)
    assert vokens.shape == (count, 64)
    assert engine.voken_influence(vokens).shape == (count, 77)
    seen = engine.inspect(CHAT, reply.token_ids)
    assert [token.text for token in seen.reply if token.kind == "voken"] == list(voken_names(count))
    with pytest.raises(OptionError, match=rf"expected float32 of shape \({count}, 64\)"):
        engine.voken_influence(vokens[1:])


def test_the_vokens_that_were_there_keep_their_ids_and_words_their_rows(grown, folder):
    count, out = grown
    before, after = load_model(folder / "model"), load_model(out)
    shared = list(control_tokens(min(count, 8)))
    assert before.tokenizer.convert_tokens_to_ids(shared) == after.tokenizer.convert_tokens_to_ids(shared)
    old, new = (side.model.language.llama.get_input_embeddings().weight for side in (before, after))
    first = before.tokenizer.convert_tokens_to_ids(shared[0])
    assert torch.equal(old[:first], new[:first])
    assert len(new) == max(len(old), len(after.tokenizer))


def test_only_the_first_voken_is_ever_sampled(grown):
    count, out = grown
    loaded = load_model(out)
    vocabulary = Vocabulary(loaded.tokenizer, len(loaded.tokenizer), count)
    never = set(vocabulary.never_sampled.tolist())
    every = loaded.tokenizer.convert_tokens_to_ids(list(voken_names(max(count, 8))))
    assert never >= set(every[1:])
    assert every[0] not in never


def test_a_picture_to_learn_has_as_many_vokens_as_the_model(tokenizer):
    encoded = encode_caption("a blue rabbit", None, tokenizer, num_vokens=4)
    first, *_, last = tokenizer.convert_tokens_to_ids(list(voken_names(4)))
    place = encoded.input_ids.index(first)
    assert encoded.input_ids[place + 3] == last
    assert [label for label in encoded.labels if label in (first, last)] == [first, last]


@pytest.mark.parametrize("count", ["0", "1", "257"])
def test_a_number_of_vokens_that_cannot_be_is_refused(count, folder, tmp_path):
    with pytest.raises(SystemExit, match=f"vokens: got {count}, expected a number from 2 to 256"):
        main(words(folder, tmp_path / "out", "--vokens", count, steps=1))
