"""Refusals that can be said in any language: a sentence with named blanks, and what fills them. Standard library only.

The English sentence stands where it is raised and is its own key; other languages look it up (studio/words/).
"""

from typing import Any


class Sentence(str):
    """English text that knows how it was made. template: with `{name}` blanks, as str.format reads it; values: what
    fills them, among them other sentences."""

    template: str
    values: dict[str, Any]

    def __new__(cls, template: str, **values: Any) -> "Sentence":
        sentence = super().__new__(cls, template.format(**values) if values else template)
        sentence.template, sentence.values = template, values
        return sentence


class Refused(ValueError):
    """Input that cannot be used: its sentence names the value, the limit and the fix.

        raise Refused("{name}={value} must be {low}..{high} pixels. Use {low}.", name="width", value=9, low=64, high=99)

    template is a literal wherever it is raised: a test reads them all and holds the translations complete.
    """

    def __init__(self, template: str, **values: Any):
        self.sentence = Sentence(template, **values)
        super().__init__(self.sentence)
