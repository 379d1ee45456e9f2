"""A training of a model of densities of states: everything that changes its result, in one file."""

from typing import Literal

from softmode.settings.fields import FilePath, Settings, setting


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
    crystals: int | None = setting(
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
