"""The models' own tests need torch and e3nn; `test_environment` runs them where these are."""

from importlib.util import find_spec

collect_ignore = [] if find_spec("e3nn") and find_spec("matscipy") else ["test_models.py"]
