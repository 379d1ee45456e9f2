"""How large the supercell of a plain structure is, of which nobody has said it."""

from softmode.settings.fields import Settings, setting


class Supercell(Settings):
    """Whole multiples of the conventional cell, the shortest vector first, until it is long enough or full."""

    length_A: float = setting(
        "Each vector is made at least this long, unless there would be too many atoms.", unit="Å", default=20.0, gt=0
    )
    atoms: int = setting(
        "No supercell has more atoms, unless its primitive cell has more already.", default=150, ge=1, le=5000
    )
