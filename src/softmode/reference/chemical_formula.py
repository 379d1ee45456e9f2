"""Formulas as chemists write them: the electropositive element first, SiC and not CSi."""

from collections import Counter
from collections.abc import Sequence
from math import gcd

# The elements from the least to the most electronegative, the order of IUPAC's Red Book (2005), table VI: formulas
# follow it. With another order the same crystals have other names in all tables; an element that is missing here comes
# last.
_ORDER = (
    "Rn Xe Kr Ar Ne He Fr Cs Rb K Na Li Ra Ba Sr Ca Mg Be "
    "Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Y Sc "
    "Rf Hf Zr Ti Db Ta Nb V Sg W Mo Cr Bh Re Tc Mn Hs Os Ru Fe Mt Ir Rh Co Ds Pt Pd Ni Au Ag Cu Hg Cd Zn "
    "Tl In Ga Al B Pb Sn Ge Si C Bi Sb As P N H Po Te Se S O At I Br Cl F"
)
_PLACES = {symbol: place for place, symbol in enumerate(_ORDER.split())}


def chemical_formula(symbols: Sequence[str]) -> str:
    """Return the reduced formula of atoms, such as LiBO2.

    Args:
        symbols: of each atom
    """
    counts = Counter(symbols)
    common = gcd(*counts.values())
    ordered = sorted(counts, key=lambda symbol: (_PLACES.get(symbol, len(_PLACES)), symbol))
    numbers = {symbol: counts[symbol] // common for symbol in ordered}
    return "".join(symbol if number == 1 else f"{symbol}{number}" for symbol, number in numbers.items())
