"""A game whose players write the scripts of their robots: what one of them does hurts nobody else.

python examples/python/sandbox.py
"""

from __future__ import annotations

import doralang as dora

SCRIPTS = {
    "walker": "var steps: int = 0; fun turn(energy: int) -> int { steps = steps + 1; if energy < steps { return energy; } return steps; }",
    "looker": "fun turn(energy: int) -> int { if isWall(1, 2) { return 0; } return energy / 2; }",
    "sleeper": "fun turn(energy: int) -> int { while true { } return 0; }",
    "hoarder": "fun turn(energy: int) -> int { let all = Vec::<Array<long>>();"
    " while true { all.push(Array::<long>(10000)); } return 0; }",
    "breaker": "fun turn(energy: int) -> int { return 100 / (energy - 10); }",
    "intruder": 'fun turn(energy: int) -> int { return call0(loadFunction("abort")).toInt(); }',
}
WALLS = {(1, 2)}


def is_wall(x: int, y: int) -> bool:
    return (x, y) in WALLS


def main() -> None:
    limits = dora.Limits(memory="4MB", time=0.3, stack="256KB", output=1000)
    robots = {}
    for name, script in SCRIPTS.items():
        try:
            robots[name] = dora.compile(
                script, functions={"isWall": is_wall}, policy="untrusted", limits=limits
            ).new()
        except dora.CompileError as error:
            print(f"{name}: refused, {error.diagnostics[0].message}")
    for energy in (8, 10):
        for name, robot in robots.items():
            try:
                print(f"{name}: {robot.turn(energy)}")
            except (dora.LimitExceeded, dora.OutOfMemory):
                print(f"{name}: used too much")
            except dora.Failure as failure:
                print(f"{name}: out, {type(failure).__name__}")


if __name__ == "__main__":
    main()
