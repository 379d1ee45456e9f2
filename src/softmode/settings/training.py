"""A training of a potential on phonons: everything that changes its result, in one file."""

from typing import Literal

from pydantic import model_validator

from softmode.settings.fields import Contradiction, FilePath, Settings, setting


class Training(Settings):
    """One training: what is trained, on what, towards what, and for how long."""

    potential: str = setting(
        "Name in the potentials file of what is trained further: an M3GNet, QET, CHGNet, MACE or Nequix."
    )
    potentials_file: FilePath = setting("The potentials that can be named.", default="config/potentials.yaml")
    entries: FilePath = setting("entries.db of softmode dataset, with the crystals and their references.")
    split: FilePath = setting("Which compounds are for what: a file of softmode split.")
    split_sha256: str | None = setting(
        "SHA-256 of that file; another file is refused.", default=None, pattern="^[0-9a-f]{64}$"
    )
    compounds: int = setting("Train on so many compounds, the first ones of the split.", ge=1)
    protocol: str = setting("How force constants are made of the references' forces.", default="softmode")
    protocols_file: FilePath = setting("The protocols that can be named.", default="config/protocols.yaml")
    temperature_K: float = setting("Temperature of the thermal displacements.", unit="K", default=300.0, ge=0)
    objective: Literal["forces_along_displacements", "hessian_products", "small_displacements", "both"] = setting(
        "What is made equal to the reference's harmonic forces along thermal displacements: the potential's forces in "
        "the displaced crystal; minus its exact second derivatives times displacements; the same by differences of "
        "forces, with the displacements made small; or the first and the second."
    )
    rehearsal_weight: float = setting(
        "Weight of what it must not forget: energies and forces of the potential as it was, in strained and rattled "
        "crystals. 0: nothing is rehearsed.",
        default=0.1,
        ge=0,
    )
    seed: int = setting("Of the order of the compounds and of all random displacements.", default=0, ge=0)
    batch: int = setting("Compounds in each step.", default=4, ge=1)
    learning_rate: float = setting("Its largest value, of Adam.", default=3e-4, gt=0)
    warm_up: float = setting(
        "Part of the training in which it rises to that value, from which it falls to zero as a cosine.",
        default=0.05,
        ge=0,
        lt=1,
    )
    averaging: float = setting(
        "How much of the averaged weights each step leaves (exponential moving average), less in the first ones; the "
        "average is the result.",
        default=0.99,
        ge=0,
        lt=1,
    )
    largest_gradient: float = setting("A longer gradient of all weights is cut to this length.", default=10.0, gt=0)
    processor_seconds: float | None = setting(
        "How long it trains: processor time of the steps alone, the same on a busy machine; on a GPU, time.",
        unit="s",
        default=None,
        gt=0,
    )
    steps: int | None = setting("How long it trains, instead.", default=None, ge=1)
    validations: int = setting("How often the held-out compounds are looked at.", default=12, ge=1)
    patience: int = setting("It ends early after so many of these without a smaller error.", default=6, ge=1)

    @model_validator(mode="after")
    def _one_length(self) -> "Training":
        if (self.processor_seconds is None) == (self.steps is None):
            raise Contradiction("steps", "give one of processor_seconds and steps")
        return self
