"""Universal interatomic potentials behind one narrow contract."""
