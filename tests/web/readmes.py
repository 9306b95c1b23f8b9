"""Descriptions of every kind for the tests of their pages: rich, broken, huge and hostile ones."""

from __future__ import annotations

from pathlib import Path

from services import Services
from tests.factory import build_wheel, core_metadata
from tests.web.conftest import publish

GFM = r'''# Looms `2`

[![Build](https://ci.example.com/b.svg)](https://ci.example.com)
![Version](https://badges.example.com/v.svg) ![logo](docs/logo.png "T")
<img src="https://x.example.com/y.png">

Weaves *algebraic* patterns, with **strong** words, `code` and ~~errors~~.
See [usage](#usage), [the guide](docs/a.md) and https://docs.example.com/looms by heart.[^1]

## Usage

```python
from looms import Loom


@cached
class Pattern(Base):
    """A pattern."""

    def weave(self, threads: int = 1842) -> None:
        # Each thread once.
        return [f"{n:>4}" for n in range(threads) if n is not None]
```

```console
$ pip install looms
```

```diff
- removed
+ added
```

- [x] warp
- [ ] weft
  1. first
  2. second

> [!WARNING]
> Careful with *wet* yarn.

> [!TIP]
> Use wool.

> A quotation of somebody.

| Option | Meaning | Default | A column with quite a long heading | One more of them |
|:--|--:|:-:|--|--|
| `threads` | how many | 10 | a cell with a rather long text in it | `--another-option` |
|  | x | y | z | 1 |

### السلام عليكم

سلام — هذا نص عربي طويل يقرأ من اليمين إلى اليسار.

### 织布机

这是一个中文段落，没有空格，应该正常换行，不应该超出屏幕的宽度，也不应该有任何问题。

<details><summary>More</summary>

Hidden *text*.

</details>

Press <kbd>Ctrl</kbd>+<kbd>C</kbd>, H<sub>2</sub>O.

---

[^1]: The note.
'''
RST = """
Shuttle
=======

.. contents:: On this page

.. image:: https://ci.example.com/b.svg
   :target: https://ci.example.com
   :alt: Build

Carries the *weft* through the ``shed`` [1]_, see Loom_ and `Use`_.

.. warning::

   Mind your fingers.

Use
---

.. code-block:: python

   from shuttle import throw

   throw(times=3)  # and back

:Weight: 300 g
:Wood: beech

+---------+---------------------+
| Thread  | A long heading here |
+=========+=====================+
| wool    | 12                  |
+---------+---------------------+

term
   its meaning

.. figure:: https://img.example.com/shuttle.png

   The shuttle at rest.

.. math::

   a^2 + b^2 = c^2

>>> throw(1)
1

.. [1] Where the warp opens.
.. _Loom: https://looms.example.com/
"""
HOSTILE = (
    """
<script>alert(1)</script><img src=x onerror=alert(1)><svg onload=alert(1)><animate onbegin=alert(1)></svg>
<a href="javascript:alert(1)">one</a> [two](javascript:alert(1)) [three](data:text/html;base64,PHNjcmlwdD4=)

<form action="/account" method="post"><input name="csrf_token" id="csrf_token" type="text"><button>Go</button></form>
<iframe src="/account"></iframe><meta http-equiv="refresh" content="0;url=https://evil.example.com/">
<base href="https://evil.example.com/"><link rel="stylesheet" href="https://evil.example.com/x.css">
<style>body { display: none }</style>
<p style="position:fixed" onclick="alert(1)" class="note bad" id="main">text</p>
<object data="https://evil.example.com/"></object><embed src="//evil.example.com/"><video src="x" autoplay></video>
<math><mtext><table><mglyph><style><img src=x onerror=alert(1)></style></mglyph></table></mtext></math>
<a href="//evil.example.com/" name="location" target="_blank">four</a> <a id="install" href="#main">five</a>
<td rowspan="65534" colspan="1000">six</td> <dt>seven</dt><li>eight</li><h6></h6><h1></h1>
<h1 id="files">nine</h1><h5>ten</h5><h2><img src="https://evil.example.com/pixel.png"></h2>
<img src="https://evil.example.com/a.png" alt="&quot;&gt;&lt;script&gt;alert(1)&lt;/script&gt;">
<table><tr><th></th><th>a</th></tr></table><details><summary></summary>eleven</details>
<input type="checkbox" checked> <input type="password"> <p align="right">twelve</p>
"""
    + "> " * 300
    + "deep\n\n"
    + "\n".join(f"{' ' * 2 * depth}- deeper" for depth in range(60))
)
LONG = "# Long\n\n" + "A paragraph of *many*, with `code` and [a link](https://docs.example.com/).\n\n" * 12_800
WIDE = "|" + "a column |" * 200 + "\n|" + "-|" * 200 + "\n" + ("|" + "x |" * 200 + "\n") * 30
KINDS = {
    "gfm": (GFM, "text/markdown; charset=UTF-8; variant=GFM"),
    "commonmark": (GFM, "text/markdown; variant=CommonMark"),
    "restructured": (RST, "text/x-rst"),
    "broken": (RST + "\n.. automodule:: loom\n", "text/x-rst"),
    "undeclared": ("# Markdown\n\nwith `code:\n", None),
    "plain": ("Plain <b>text</b>\n\n  with its spaces, سلام, 织布机.", "text/plain"),
    "hostile": (HOSTILE, "text/markdown"),
    "long": (LONG, "text/markdown"),
    "wide": (WIDE, "text/markdown"),
    "empty": ("", "text/markdown"),
    "blank": (" \n\n \n", "text/markdown"),
}


def build(folder: Path, name: str, text: str, content_type: str | None, version: str = "1.0") -> Path:
    """A wheel with this description."""
    headers = [f"Description-Content-Type: {content_type}"] if content_type else []
    metadata = core_metadata(name, version, description=text, extra_headers=headers, summary="A <i>sample</i> & more.")
    return build_wheel(folder, name, version, metadata=metadata)


def fill(services: Services, folder: Path) -> None:
    """A project for each kind, named as it is."""
    for name, (text, content_type) in KINDS.items():
        publish(services, build(folder, name, text, content_type))
