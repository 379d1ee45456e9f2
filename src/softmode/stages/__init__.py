"""What is computed for one entry with one potential."""
