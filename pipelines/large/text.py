"""Text as the large model reads it."""

from collections import OrderedDict

import torch
from diffusers.pipelines.wan.pipeline_wan import prompt_clean
from diffusers.utils.torch_utils import get_module_execution_device
from torch import Tensor

MAX_TOKENS = 512  # of a prompt
KEPT = 8  # prompts of 4 MiB each


@torch.no_grad()
def encode_prompt(tokenizer, text_encoder, prompt: str, max_tokens: int = MAX_TOKENS) -> Tensor:
    """(1, max_tokens, D): the text as Wan was trained to read it, zero behind its end."""
    tokens = tokenizer(
        [prompt_clean(prompt)], padding="max_length", max_length=max_tokens, truncation=True, return_tensors="pt"
    ).to(get_module_execution_device(text_encoder))
    embeds = text_encoder(tokens.input_ids, tokens.attention_mask).last_hidden_state
    return embeds * tokens.attention_mask[..., None]


class PromptReader:
    """Reads prompts, each once as long as not too many others have come since."""

    def __init__(self, tokenizer, text_encoder: torch.nn.Module):
        self.tokenizer, self.text_encoder = tokenizer, text_encoder
        self.kept: OrderedDict[str, Tensor] = OrderedDict()

    def __call__(self, prompt: str) -> Tensor:
        """(1, L, D) on the CPU, as `encode_prompt`."""
        if prompt not in self.kept:
            self.kept[prompt] = encode_prompt(self.tokenizer, self.text_encoder, prompt).cpu()
        self.kept.move_to_end(prompt)
        while len(self.kept) > KEPT:
            self.kept.popitem(last=False)
        return self.kept[prompt]
