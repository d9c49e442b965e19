"""A program whose code is stored from an earlier run.

It starts without the front end.  When a function is called that no run has called before, the program is
checked and lowered after all; everything gets the names it had (`Translator.replay`), and the instance is
told that its entities are now those of the new translator.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from doralang.bytecode.entities import FunctionRef
from doralang.code.objects import CompiledFunction
from doralang.native.image import Stored, capture
from doralang.native.supplier import Client, Image, Request, Roots

if TYPE_CHECKING:
    from doralang.native.module import Translator


class StoredProgram:
    """Supplies what is stored, and the rest by way of a translator that `translate` makes."""

    def __init__(self, image: Image, translate: Callable[[], Translator]) -> None:
        self.stored = Stored(image)
        self.roots: Roots = self.stored.roots
        self.translate = translate
        self.translator: Translator | None = None

    def serve(self, client: Client) -> None:
        """Tell the instance what the code refers to, with the numbers that are in the code."""
        self.client = client
        instance, stored = client.instance, self.stored
        instance.by_symbol.update((function.name, function) for function in stored.functions)
        instance.classes.update((cls.symbol, cls) for cls in stored.classes)
        for variable in stored.globals:
            instance.global_offset(variable)
        for text in stored.literals:
            instance.literal(text)
        for function in stored.internals:
            instance.internal_symbol(function)

    def function(self, ref: FunctionRef) -> CompiledFunction:
        compiled = self.stored.function(ref.name)
        if compiled is not None:
            return compiled
        translator = self.translated()
        return translator.function(translator.named(ref.name))

    def heap_function(self, name: str) -> FunctionRef:
        return self.stored_function(Request("heap", name)) or self.translated().heap_function(name)

    def callable(self, name: str) -> FunctionRef:
        return self.stored_function(Request("call", name)) or self.translated().callable(name)

    def stored_function(self, request: Request) -> FunctionRef | None:
        """The function that an earlier run found, unless the translator is to be asked."""
        return self.stored.found.get(request) if self.translator is None else None

    def image(self) -> Image | None:
        """What is to be stored now; None if it is what was stored before."""
        if self.translator is None or not self.translator.compiled:
            return None
        return capture(
            self.roots,
            self.client.instance,
            [*self.stored.compiled(), *self.translator.compiled],
            self.translator.requests,
            self.translator.found,
        )

    def translated(self) -> Translator:
        """The translator, made at need; from then on all entities are its."""
        if self.translator is None:
            translator = self.translator = self.translate()
            translator.replay(self.stored.requests)
            self.replace_entities(translator)
            self.roots = translator.roots
            translator.serve(self.client)
        return self.translator

    def replace_entities(self, translator: Translator) -> None:
        """Let the entities of the translator take the place of the stored ones."""
        stored, new = self.stored, translator.specializer
        functions = {one: translator.named(one.name) for one in stored.functions}
        new_classes = {cls.symbol: cls for cls in new.classes.values()}
        variables = {one.index: one for one in new.globals.values()}
        for old, function in functions.items():
            assert (old.signature, old.parameters) == (function.signature, function.parameters), (
                f"{old} is another function now"
            )
        self.client.instance.replace_entities(
            functions,
            {one: new_classes[one.symbol] for one in stored.classes},
            {one: variables[one.index] for one in stored.globals},
        )
        stored.functions = list(functions.values())
