"""Settings of the study: at which temperatures; all else is the model's own."""

from typing import Annotated

from pydantic import Field

from softmode.settings.fields import UNIQUE, Settings, TakenFrom, setting


class PredictedDensity(Settings):
    """Densities of states of the entries' primitive cells, as the data set has them: nothing is relaxed."""

    temperatures_K: Annotated[tuple[Annotated[float, Field(ge=0)], ...], TakenFrom("phonons.temperatures_K")] = setting(
        "Temperatures of the thermodynamics.", unit="K", min_length=1, schema=UNIQUE
    )
