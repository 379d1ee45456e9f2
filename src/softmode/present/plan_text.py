"""What a campaign will cost, as text."""

from collections.abc import Sequence

from softmode.plan import Plan, PotentialPlan
from softmode.rates import EVALUATIONS_OF_A_RELAXATION

_NOTHING = "–"
_DEVICES = {"cpu": "CPU", "cuda": "GPU"}


def plan_text(plan: Plan) -> str:
    """Return the plan as lines and a table, with what is not known named as such."""
    settings = plan.campaign.settings
    smallest, median, largest = plan.supercells
    disk = ", ".join(f"{what.replace('_', ' ')} {size:.1f}" for what, size in plan.disk_GB.items())
    lines = [
        f"{settings['campaign']}: {plan.n_entries:,} entries × {len(plan.potentials)} potentials, {settings['shards']} "
        f"shards, protocol {plan.campaign.protocol.name}",
        f"{plan.n_displacements:,} displaced supercells of {smallest} to {largest} atoms, the median {median}",
        *_atoms(plan.potentials),
        "",
        *_table(plan.potentials),
        "",
        *(
            f"{table.stage}, of {table.n_sources} sources: {table.hours:.1f} CPU hours; measured: {table.source}"
            for table in plan.tables
        ),
        f"jobs: {sum(plan.jobs.values())} ({', '.join(f'{number} {stage}' for stage, number in plan.jobs.items())})",
        f"disk: {sum(plan.disk_GB.values()):.1f} GB ({disk}), and up to 5 GB for each environment",
    ]
    unmeasured = [potential.name for potential in plan.potentials if potential.hours["cuda"] is None]
    if unmeasured:
        lines += [
            "",
            f"GPU hours are not known: nobody has measured {', '.join(unmeasured)} on a GPU. On yours,",
            f"  softmode check-potential {unmeasured[0]} --device cuda",
            "prints ms/atom, to be written as gpu_ms_per_atom into the potentials file; or run a few entries there and",
            "name that campaign's folder with --measured.",
        ]
    return "\n".join(lines)


def _atoms(potentials: Sequence[PotentialPlan]) -> list[str]:
    """Return a line for all potentials that have the same to evaluate."""
    names: dict[tuple[tuple[str, int], ...], list[str]] = {}
    for potential in potentials:
        names.setdefault(tuple(potential.atoms.items()), []).append(potential.name)
    lines = []
    for atoms, of in names.items():
        whose = "each potential" if len(names) == 1 else ", ".join(of)
        stages = ", ".join(f"{_millions(number)} in {stage.replace('_', ' ')}" for stage, number in atoms)
        total = sum(number for _, number in atoms)
        lines.append(f"{_millions(total)} million atoms to evaluate for {whose}: {stages}")
    return [*lines, f"(a relaxation counts as {EVALUATIONS_OF_A_RELAXATION} evaluations of its cell)"]


def _table(potentials: Sequence[PotentialPlan]) -> list[str]:
    rows = [["potential", "CPU hours", "GPU hours", "measured"]]
    for potential in potentials:
        sources = [f"{_DEVICES[device]}: {potential.sources[device]}" for device in _DEVICES]
        rows.append([potential.name, *(_hours(potential.hours[device]) for device in _DEVICES), "; ".join(sources)])
    known = [[p.hours[device] for p in potentials if p.hours[device] is not None] for device in _DEVICES]
    totals = [_hours(sum(filter(None, hours))) if hours else _NOTHING for hours in known]
    partly = any(len(hours) not in (0, len(potentials)) for hours in known)
    rows.append(["all", *totals, "of those that are known" if partly else ""])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if column in (1, 2) else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _millions(number: float) -> str:
    return f"{number / 1e6:.3g}"


def _hours(hours: float | None) -> str:
    return _NOTHING if hours is None else f"{hours:,.0f}" if hours >= 100 else f"{hours:.2g}"
