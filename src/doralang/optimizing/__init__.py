"""The optimizer: bytecode to a graph, passes over it, and back to bytecode.

`build` makes the graph, `optimizer` has the passes in their order, `schedule`, `registers` and `emit` make
bytecode of what comes out; `verifier` and `printer` stand between.  Whoever runs bytecode can run the result.
"""
