"""What `--stats` says about a run in the VM."""

from __future__ import annotations

from doralang.text.records import record


@record(eq=True)
class Statistics:
    """Counted while functions are translated; running code counts nothing."""

    functions: int = 0
    blocks: int = 0
    instructions: int = 0
    """of the blocks: those that stand in two blocks count twice, unconditional jumps not at all"""
    closures: int = 0

    def __str__(self) -> str:
        return (
            "VM stats:\n"
            f"  functions called:  {self.functions}\n"
            f"  blocks translated: {self.blocks}\n"
            f"  instructions:      {self.instructions}, in {self.closures} closures\n"
        )
