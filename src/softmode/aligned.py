"""Texts in columns, for terminals and for Markdown that is read in one."""

from collections.abc import Collection, Sequence


def aligned(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[list[str]]:
    """Return rows of cells, each filled with blanks to the width of its column.

    Args:
        rows: of one length, the header among them
        right: the columns, counted from 0, that end at one place instead of beginning there
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        [
            cell.rjust(width) if column in right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in rows
    ]


def aligned_lines(rows: Sequence[Sequence[str]], right: Collection[int] = ()) -> list[str]:
    """Return the same as lines, two blanks between columns and none at the end."""
    return ["  ".join(row).rstrip() for row in aligned(rows, right)]
