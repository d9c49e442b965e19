"""Tree to typed program: names, types, flow."""
