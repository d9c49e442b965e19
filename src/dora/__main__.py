"""`python -m dora` is the command `dora`."""

from dora.cli.main import entry

if __name__ == "__main__":
    entry()
