"""The tree of members: bounded, whatever an archive holds."""

from __future__ import annotations

from distributions.archives import Member
from views.web.tree import MOST_ROWS, Node, crumbs_of, tree_of


def members(*names: str) -> list[Member]:
    """Members of ten bytes each."""
    return [Member(name, 10) for name in names]


def outline(rows: list[Node]) -> list[object]:
    """Labels, with what is below a folder in a tuple."""
    return [
        (row.label, outline(row.children)) if row.children is not None else row.label + "/" * row.is_folder
        for row in rows
    ]


def count(rows: list[Node]) -> int:
    """All rows that are shown."""
    return sum(1 + count(row.children or []) for row in rows)


def test_folders_come_first_with_sums() -> None:
    """Folders before files, by name whatever the case, with how many files and bytes they hold."""
    tree = tree_of(members("b.py", "A.py", "z/x/1", "z/2"))
    assert outline(tree.rows) == [("z", [("x", ["1"]), "2"]), "A.py", "b.py"]
    assert (tree.rows[0].size, tree.rows[0].files, tree.rows[0].path) == (20, 2, "z/")
    assert (tree.files, tree.size, tree.pages) == (4, 40, 1)


def test_a_folder_is_a_tree_of_its_own() -> None:
    """Only what is below it; a name that begins alike is not."""
    assert outline(tree_of(members("a/b/c", "a/bc", "ab"), "a/").rows) == [("b", ["c"]), "bc"]
    assert tree_of(members("a"), "b/").files == 0


def test_large_folders_have_a_page_of_their_own() -> None:
    """No page has more than 400 rows: folders that do not fit are links, and a folder of many files has pages."""
    names = [f"big/{n:05}" for n in range(1000)] + [f"small/{n}" for n in range(5)]
    tree = tree_of(members(*names))
    assert outline(tree.rows) == ["big/", ("small", ["0", "1", "2", "3", "4"])]
    pages = [tree_of(members(*names), "big/", page) for page in (1, 2, 3)]
    assert [len(page.rows) for page in pages] == [MOST_ROWS, MOST_ROWS, 200]
    assert pages[0].pages == 3
    assert tree_of(members(*names), "big/", 4).rows == []


def test_depth_is_bounded() -> None:
    """A name of two thousand folders ends in a link after a few levels."""
    row = tree_of(members("a/" * 2000 + "file")).rows[0]
    depth = 1
    while row.children:
        row, depth = row.children[0], depth + 1
    assert row.is_folder
    assert row.children is None
    assert depth < 12


def test_a_hundred_thousand_members_make_a_short_page() -> None:
    """The rows stay few, and every folder that is not open has its link."""
    tree = tree_of([Member(f"p{n % 300}/q{n % 7}/f{n}.py", 1) for n in range(100_000)])
    assert count(tree.rows) <= MOST_ROWS
    assert tree.files == 100_000


def test_odd_names_are_shown_whole() -> None:
    """What hides in a name is a code point in its label; the path stays what it is."""
    (row,) = tree_of(members("x\u202e//y")).rows
    assert (row.label, row.path) == ("x‹U+202E›", "x\u202e/")
    assert row.children is not None
    assert row.children[0].label == "(no name)"
    assert crumbs_of("a/b/c") == [("a", "a/"), ("b", "a/b/")]
    assert crumbs_of("a/" * 100)[0] == ("a", "a/" * 92)
