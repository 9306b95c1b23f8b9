"""``docs/cli.md``, made from the commands themselves; a test holds the two against each other."""

from __future__ import annotations

from collections.abc import Iterator

import click

HEAD = """\
# Command line

<!-- Made by `console.manual.document()` from the commands; change it there. -->

`cli.py COMMAND` does everything that an administrator does, also beside a running server: both work on the same files.
`--config` and `--data-dir` may stand before the command or after it; after wins. `-h` explains any command.

It runs in the project's folder, with the Python that `./start.sh` has put there. Blocks to copy say so; sentences and
the usage lines below leave it out:

```bash
.venv/bin/python cli.py COMMAND
```

- Tables are for people; `--json` is for scripts and has all values whole. Data goes to stdout, remarks to stderr.
- Accounts, tokens, teams, roles, names, publishers and indexes are the same JSON as in the [API](api.md), lists without
  the object around them.
- Where stdout is no terminal nothing is cut, wrapped or asked; a missing value is then an error that names its option.
- Exit codes: 0 done; 1 refused, or something was found wrong; 2 a wrong command line, setting or Python; 130 Ctrl-C.
- A refusal is one line on stderr, `Error: ` and a sentence.
"""


def document(program: click.Group) -> str:
    """The page of all commands, in Markdown."""
    return HEAD + "".join(line for ctx in contexts(program) for line in _section(ctx))


def contexts(program: click.Group) -> Iterator[click.Context]:
    """A context of every command: the program's, then those of its groups, depth first."""
    yield from _below(click.Context(program, info_name="cli.py", **program.context_settings))


def _below(ctx: click.Context) -> Iterator[click.Context]:
    yield ctx
    if isinstance(ctx.command, click.Group):
        for name in ctx.command.list_commands(ctx):
            child = ctx.command.commands[name]
            yield from _below(click.Context(child, info_name=name, parent=ctx))


def _section(ctx: click.Context) -> Iterator[str]:
    command = ctx.command
    yield f"\n## {ctx.command_path}\n\n{_text(command.help or '')}\n\n"
    yield f"```\n{' '.join([ctx.command_path, *command.collect_usage_pieces(ctx)])}\n```\n"
    records = [one.get_help_record(ctx) for one in command.get_params(ctx)]
    rows = [record for record in records if record is not None]
    yield "\n| Option | Meaning |\n|---|---|\n"
    yield from (f"| `{_cell(names)}` | {_cell(meaning)} |\n" for names, meaning in rows)


def _text(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _text(text).replace("|", "\\|")
