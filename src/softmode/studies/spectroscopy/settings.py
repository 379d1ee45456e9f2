"""Settings of the study: how force constants are made."""

from softmode.settings.force_constants import ForceConstantsOfPhonons


class GammaModes(ForceConstantsOfPhonons):
    """The modes at Gamma: of the same force constants as the phonons."""
