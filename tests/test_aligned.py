from softmode.aligned import aligned, aligned_lines


def test_columns_have_the_width_of_their_longest_text_and_numbers_end_at_one_place() -> None:
    rows = [["potential", "n", ""], ["mace", "1,000", "Å"], ["", "5", ""]]
    assert aligned_lines(rows, right=[1]) == ["potential      n", "mace       1,000  Å", "               5"]
    assert aligned(rows)[2] == ["         ", "5    ", " "]
