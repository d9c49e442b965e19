"""What a file declares, without reading it: names and where their declarations stand.

Only for files of the library, where a declaration begins at the first column, and nothing else but comments
and closing brackets does.

    internal class Str {          ->      Heading("class", "Str", "", source, 0, 66)
      internal fun len() -> int;
    }
    impl Show for Str;            ->      Heading("impl", "Str", "Show", source, 67, 85)
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from doralang.text.records import record
from doralang.text.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_START: Final = re.compile(
    r"\n(?=[a-z@])(?:@\w+ |internal |open |abstract )*+"
    r"(?:(fun|class|enum|trait|let|var|const) (\w+)|(impl)\b[^\n{]*? (\w+)(?:<[^\n{]*>)? for (\w+|\(.*?\)))"
)


@record(eq=True, frozen=True)
class Heading:
    """One declaration: of an `impl`, `name` is what it is for, and `trait` that of which it is one.

    Its extent, from `start` to `end`, may have comments at its end.
    """

    keyword: str
    name: str
    trait: str
    source: Source
    start: int
    end: int

    def mentions(self, word: str) -> bool:
        """Whether a word occurs in its text."""
        return self.source.text.find(word, self.start, self.end) >= 0


def outline(source: Source) -> Iterator[Heading]:
    """The declarations of a file, in its order."""
    before: tuple[str, str, str, int] | None = None
    for match in _START.finditer("\n" + source.text):
        start = match.start()  # without the newline, which is not in the text, and in front of the match
        if before is not None:
            yield Heading(*before[:3], source, before[3], start)
        keyword, name, is_impl, trait, target = match.groups()
        before = ("impl", target, trait, start) if is_impl else (keyword, name, "", start)
    if before is not None:
        yield Heading(*before[:3], source, before[3], len(source.text))
