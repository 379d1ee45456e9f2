"""What Python code and notebooks call: `from softmode import phonons`."""
