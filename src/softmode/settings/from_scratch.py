"""A training from scratch: everything that changes its result, in one file.

Of a potential, on forces of one crystal; or of a model of densities of states, on many.
"""

from typing import Annotated, Literal

from pydantic import model_validator

from softmode.settings.fields import Contradiction, FilePath, Settings, setting


class _FromScratch(Settings):
    """What all potentials have."""

    data: FilePath = setting(
        "Folder of train.extxyz, validation.extxyz and test.extxyz, frames of one crystal with energies and forces, as "
        "softmode taylor-dynamics and split-frames write them."
    )
    seed: int = setting("Of the model's random choices: sparse points, or weights and the order of frames.", ge=0)
    cutoff_A: float = setting("Distance within which atoms are neighbours.", unit="Å", default=5.0, gt=0)


class _ByEpochs(_FromScratch):
    """What networks have, which learn in steps."""

    epochs: int = setting("How often each frame is learned from.", ge=1)
    batch: int = setting("Frames in each step.", default=8, ge=1)
    learning_rate: float = setting("Of Adam, at the start.", default=0.005, gt=0)
    energy_weight: float = setting(
        "Weight of errors of the energy for each atom beside those of forces, which have 1; behler_parrinello: both in "
        "units of their spread, mace: eV and eV/Å.",
        default=0.01,
        ge=0,
    )


class GAPTraining(_FromScratch):
    """Gaussian approximation: a Gaussian process of energies on smooth overlaps of atomic positions, by gap_fit."""

    model: Literal["gap"] = "gap"
    n_max: int = setting("Radial functions of the overlaps.", default=8, ge=1)
    l_max: int = setting("Highest angular momentum of the overlaps.", default=6, ge=0)
    atom_width_A: float = setting("Width of an atom's Gaussian.", unit="Å", default=0.5, gt=0)
    zeta: float = setting("Power of the overlap's kernel.", default=4.0, gt=0)
    sparse_points: int = setting("Environments of each element that the process is made of.", default=400, ge=1)
    energy_error_eV_per_atom: float = setting("By which energies are trusted.", unit="eV", default=0.001, gt=0)
    force_error_eV_per_A: float = setting("By which forces are trusted.", unit="eV/Å", default=0.01, gt=0)


class BehlerParrinelloTraining(_ByEpochs):
    """Behler-Parrinello: a small network for each element, on radial and angular symmetry functions (torchani's)."""

    model: Literal["behler_parrinello"] = "behler_parrinello"
    angular_cutoff_A: float = setting(
        "Distance within which two neighbours make an angle.", unit="Å", default=4.5, gt=0
    )
    radial_functions: int = setting("Of each element of a neighbour.", default=16, ge=2)
    angular_distances: int = setting("Mean distances of two neighbours that are told apart.", default=4, ge=2)
    angles: int = setting("Angles that are told apart.", default=8, ge=2)
    hidden: tuple[Annotated[int, setting("", ge=1)], ...] = setting(
        "Neurons of each hidden layer.", default=(40, 40), min_length=1
    )

    @model_validator(mode="after")
    def _angles_within_the_cutoff(self) -> "BehlerParrinelloTraining":
        if self.angular_cutoff_A >= self.cutoff_A:
            raise Contradiction(
                "angular_cutoff_A", f"{self.angular_cutoff_A:g} is not below cutoff_A, {self.cutoff_A:g}"
            )
        return self


class MACETraining(_ByEpochs):
    """Equivariant graph network: MACE, by mace_run_train."""

    model: Literal["mace"] = "mace"
    channels: int = setting("Of each angular momentum.", default=16, ge=1)
    highest_momentum: int = setting("Angular momentum of messages.", default=1, ge=0)
    edge_momentum: int = setting("Angular momentum of directions to neighbours.", default=3, ge=0)
    layers: int = setting("Of messages; the second reaches neighbours of neighbours.", default=2, ge=1)
    correlation: int = setting("Neighbours of a product, and one.", default=3, ge=1)
    dtype: Literal["float32", "float64"] = setting("In which it is trained; it runs in float64.", default="float32")


class DensityTraining(Settings):
    """A model that gives the density of states of a crystal without forces, of labels of `softmode density-labels`."""

    model: Literal["density"] = "density"
    network: Literal["moments", "e3nn"] = setting(
        "moments: ours, of the states of each atom, on-site force constants first; e3nn: that of Chen et al. (2021), "
        "of the whole density.",
        default="moments",
    )
    labels: FilePath = setting("File of softmode density-labels.")
    split: FilePath = setting("Which crystals are for what: a file of softmode density-split.")
    split_sha256: str | None = setting(
        "SHA-256 of that file; another file is refused.", default=None, pattern="^[0-9a-f]{64}$"
    )
    compounds: int | None = setting(
        "Train on the first so many crystals of the split; all without it.", default=None, ge=1
    )
    seed: int = setting("Of weights and of the order of crystals.", default=0, ge=0)
    epochs: int = setting("How often each crystal is learned from.", ge=1)
    seconds: float | None = setting(
        "It ends after so long, the learning rate falling accordingly.", unit="s", default=None, gt=0
    )
    batch: int = setting("Crystals in each step.", default=32, ge=1)
    learning_rate: float = setting("Its largest value, of AdamW.", default=2e-3, gt=0)
    decay: float | None = setting(
        "By which the learning rate is multiplied after each epoch; without it, it falls to zero as a cosine.",
        default=None,
        gt=0,
        le=1,
    )
    weight_decay: float = setting("Of AdamW.", default=0.01, ge=0)
    averaging: float = setting(
        "How much of the averaged weights each step leaves; the average is the result.", default=0.995, ge=0, lt=1
    )
    scalars: int = setting("Numbers that an atom has in each layer; of moments.", default=96, ge=1)
    tensors: int = setting("Vectors, and tensors, that it has; of moments.", default=24, ge=1)
    dropout: float = setting(
        "Part of the neurons of the last layers that a step leaves out; of moments.", default=0.1, ge=0, lt=1
    )
    embedding: bool = setting(
        "Whether an element has numbers of its own beside what is known of it; of moments.", default=True
    )


FromScratch = Annotated[
    GAPTraining | BehlerParrinelloTraining | MACETraining | DensityTraining,
    setting("What is trained.", discriminator="model"),
]
