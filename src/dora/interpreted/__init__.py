"""The engines that interpret bytecode: front end, lowering, VM and what makes it faster put together."""
