"""`python -m doralang` is the command `dora`."""

from doralang.cli.main import entry

if __name__ == "__main__":
    entry()
