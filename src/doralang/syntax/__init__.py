"""Text to tree: tokens, lexer, tree, parser and printer."""
