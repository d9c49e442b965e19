"""x86-64, System V calling convention."""
