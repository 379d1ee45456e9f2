"""torch as phonons need it: a force error of 1e-3 eV/Å is a frequency error of several per cent."""


def prepare_torch(device: str) -> str:
    """Switch TF32 and other shortcuts off, and return the device that `auto`, `cpu` or `cuda` means here."""
    import torch

    torch.set_float32_matmul_precision("highest")
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    if device != "auto":
        return device
    return "cuda" if torch.cuda.is_available() else "cpu"
