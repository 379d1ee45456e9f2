"""Campaigns on this machine without Snakemake: their jobs, in processes of the environments that they need.

A process of each potential begins to load it while the structures are still being read, and goes through all of its
jobs, so that the first phonons of a small crystal are there before Snakemake would have started its second job. What is
up to date is left alone, what is killed goes on where it was, and one potential that fails does not stop the others.
"""

import json
import os
import selectors
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from softmode.engine.outputs import partial_of
from softmode.engine.parquet import read_table
from softmode.engine.snapshot import read_snapshot
from softmode.errors import InputError
from softmode.local_jobs import WORKFLOW, Job, jobs_of_several, write_settings
from softmode.reference.index_file import read_index
from softmode.settings.campaign import Campaign
from softmode.studies.harmonic.study import PHONONS
from softmode.threads import limited_to

# What the processes of the workflow's environment import before their first job: of the data set, and of the phonons.
# What is missing here is imported when it is needed, and the first result is later.
_EARLY = (
    "softmode.run_stage",
    "softmode.reference.dataset",
    "softmode.reference.reading",
    "softmode.compare.study_table",
    "softmode.stages.phonons",
)
# Times that a job is begun: an entry that kills its process has a record after the second, and the job goes on without
# it. With one, such an entry would end its potential's campaign.
_ATTEMPTS = 4
# Time in s that a process has to end by itself after it was told to; longer than `engine.interruption` takes.
_GRACE_s = 25.0
# Time in s between two looks at what the jobs have stored: in a terminal, and in a log.
_EVERY_TERMINAL_s, _EVERY_LOG_s = 1.0, 30.0
# Results that are printed as they come; those of more entries would hide the rest.
_PRINTED = 30
# Lines of a failed job's log that are printed.
_LAST_LINES = 12


@dataclass
class _Worker:
    """A process, and the job that it does."""

    process: subprocess.Popen[str]
    answers: IO[str]
    job: Job | None = None


@dataclass
class _State:
    """How far a campaign is.

    Attributes:
        waiting: jobs to be done, in their order
        missing: outputs of jobs that are not done yet, and those that will never be
        failed: what could not be done
        attempts: how often each job was begun
    """

    waiting: list[Job]
    missing: set[Path] = field(default_factory=set)
    failed: list[Job] = field(default_factory=list)
    attempts: dict[Path, int] = field(default_factory=dict)


class LocalRun:
    """Campaigns on this machine, one after the other, with one process of each potential for all of them.

    Args:
        campaigns: as `settings.campaign.load_campaign` returns them, with absolute folders of environments and the same
            potentials
        project: the clone, from whose files missing environments are built
        cores: processes that work at a time
        started: when the command began, by time.monotonic; what is said counts from then
        until: name of the last job of each campaign, such as `collect`; None for all of them
    """

    def __init__(
        self, campaigns: Sequence[Campaign], project: Path, cores: int, started: float, until: str | None = None
    ) -> None:
        self.campaigns, self.project, self.cores, self.until = campaigns, project, cores, until
        self.campaign = campaigns[0]
        if any(campaign.potentials != self.campaign.potentials for campaign in campaigns):
            raise InputError("campaigns with other potentials cannot be run in one go")
        self.labels = {name: settings["label"] for name, settings in self.campaign.potentials.items()}
        self._started = started
        self._workers: dict[str, list[_Worker]] = {}
        self._printed = 0
        self._terminal = sys.stdout.isatty()

    def run(self) -> bool:
        """Do all jobs that are not up to date; return whether everything is done.

        Raises:
            InputError: an environment cannot be built, or its files are not there.
        """
        for campaign in self.campaigns:
            write_settings(campaign)
        self._build_environments()
        state = _State(jobs_of_several(self.campaigns, self.cores, self.until))
        state.missing = {path for job in state.waiting for path in job.outputs}
        with self._ended(), selectors.DefaultSelector() as selector:
            self._selector = selector
            self._worker("")
            for name in list(self.campaign.potentials)[: self._potentials_at_a_time()]:
                self._worker(name)
            last = time.monotonic()
            while self._begin(state):
                pause = _EVERY_TERMINAL_s if self._terminal else _EVERY_LOG_s
                for key, _ in selector.select(pause):
                    self._finish(key.data, state)
                if time.monotonic() - last >= pause:
                    last = time.monotonic()
                    self._look()
        return not state.failed and not state.waiting

    def _build_environments(self) -> None:
        for name in self.campaign.environments:
            folder = Path(self.campaign.settings["environments"]) / name
            ready = folder.with_name(f"{name}.ready")
            if ready.exists():
                continue
            log = Path(self.campaign.folder) / "logs" / "environment" / f"{name}.log"
            log.parent.mkdir(parents=True, exist_ok=True)
            self._say(f"building the environment '{name}' (once, minutes): {log}")
            with log.open("w", encoding="utf-8") as file:
                command = [str(self.project / "envs" / "build.sh"), name, str(folder)]
                code = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False).returncode
            if code:
                raise InputError(f"{log}: environment '{name}' cannot be built:\n{_last_lines(log)}")
            ready.touch()

    def _potentials_at_a_time(self) -> int:
        device = self.campaign.settings["device"]
        on_gpu = device == "cuda" or (device == "auto" and shutil.which("nvidia-smi") is not None)
        return 1 if on_gpu else self.cores

    # ---- processes

    def _worker(self, potential: str) -> _Worker:
        """Start a process of an environment."""
        environment = self.campaign.potentials[potential]["environment"] if potential else WORKFLOW
        python = Path(self.campaign.settings["environments"]) / environment / "bin" / "python"
        command = [str(python), "-m", "softmode.worker"]
        if potential:
            settings = Path(self.campaign.folder) / "settings" / "potentials" / f"{potential}.yaml"
            command += ["--potential", str(settings), "--device", self.campaign.settings["device"]]
        else:
            command += ["--modules", *_EARLY]
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            # as the jobs have it, before anything is imported
            env=os.environ | limited_to(1),
            # a terminal's Ctrl-C comes to this process, which passes it on
            start_new_session=True,
        )
        assert process.stdout is not None
        worker = _Worker(process, process.stdout)
        self._selector.register(worker.answers, selectors.EVENT_READ, (potential, worker))
        self._workers.setdefault(potential, []).append(worker)
        return worker

    @contextmanager
    def _ended(self) -> Iterator[None]:
        """End all processes, those that work with the order to stop, which keeps what they have."""
        try:
            yield
        finally:
            workers = [worker for workers in self._workers.values() for worker in workers]
            for worker in workers:
                if worker.job is not None or worker.process.poll() is not None:
                    worker.process.terminate()
                if worker.process.stdin:
                    with suppress(BrokenPipeError):  # the end of its answers says that it has ended
                        worker.process.stdin.close()
            for worker in workers:
                try:
                    worker.process.wait(_GRACE_s)
                except subprocess.TimeoutExpired:
                    worker.process.kill()
                worker.answers.close()
            self._erase()

    def _idle(self, potential: str) -> _Worker | None:
        workers = self._workers.get(potential, [])
        for worker in workers:
            if worker.job is None:
                return worker
        n_potentials = sum(len(found) for name, found in self._workers.items() if name)
        room = n_potentials < self._potentials_at_a_time() if potential else len(workers) < max(1, self.cores // 2)
        return self._worker(potential) if room else None

    # ---- jobs

    def _begin(self, state: _State) -> bool:
        """Begin what can be begun; return whether anything is under way."""
        while True:
            self._begin_what_has_room(state)
            made_room = self._let_go(state)
            if any(worker.job for workers in self._workers.values() for worker in workers):
                return True
            if not (made_room and state.waiting):
                return False

    def _begin_what_has_room(self, state: _State) -> None:
        never = {path for job in state.failed for path in job.outputs}
        for job in list(state.waiting):
            needed = {*job.inputs, *job.ancient}
            if needed & never:
                state.waiting.remove(job)
                state.failed.append(job)
                never |= set(job.outputs)
            elif not needed & state.missing:
                if job.up_to_date(job.log):
                    state.waiting.remove(job)
                    state.missing -= set(job.outputs)
                elif worker := self._idle(job.potential):
                    state.waiting.remove(job)
                    self._give(worker, job, state)

    def _give(self, worker: _Worker, job: Job, state: _State) -> None:
        state.attempts[job.log] = state.attempts.get(job.log, 0) + 1
        for path in job.outputs:
            path.parent.mkdir(parents=True, exist_ok=True)
            if job.stage is None or not job.stage.runs_source:
                path.unlink(missing_ok=True)
            elif path.exists():
                # out of date: its records are of another identity, and would be refused or taken for these
                path.unlink()
        worker.job = job
        assert worker.process.stdin is not None
        with suppress(BrokenPipeError):  # the end of its answers says that it has ended
            worker.process.stdin.write(json.dumps({"words": job.words, "line": job.line, "log": str(job.log)}) + "\n")
            worker.process.stdin.flush()

    def _finish(self, of: tuple[str, _Worker], state: _State) -> None:
        potential, worker = of
        answer, job = worker.answers.readline(), worker.job
        worker.job = None
        if not answer:
            code = worker.process.wait()
            self._selector.unregister(worker.answers)
            worker.answers.close()
            self._workers[potential].remove(worker)
            if job is None:
                return
            if state.attempts[job.log] < _ATTEMPTS:
                self._say(f"{job.name}: its process ended ({_ended_by(code)}); begun again")
                state.waiting.insert(0, job)
                return
            answer = "1"
        assert job is not None
        if int(answer) == 0:
            state.missing -= set(job.outputs)
            self._tell(job)
            return
        state.failed.append(job)
        self._say(f"{job.name} failed, see {job.log}:\n{_last_lines(job.log)}")

    def _let_go(self, state: _State) -> bool:
        """End the processes of potentials that have nothing left to do; return whether that made room for others."""
        made_room = False
        for potential, workers in self._workers.items():
            if potential and not any(job.potential == potential for job in state.waiting):
                for worker in [worker for worker in workers if worker.job is None]:
                    made_room = True
                    workers.remove(worker)
                    self._selector.unregister(worker.answers)
                    assert worker.process.stdin is not None
                    with suppress(BrokenPipeError):  # the end of its answers says that it has ended
                        worker.process.stdin.close()
                    worker.process.terminate()
                    worker.process.wait()
                    worker.answers.close()
        return made_room

    # ---- what is said

    def _say(self, text: str) -> None:
        self._erase()
        print(f"{time.monotonic() - self._started:7.1f} s  {text}", flush=True)

    def _erase(self) -> None:
        if self._terminal:
            print("\r\033[K", end="", flush=True)

    def _tell(self, job: Job) -> None:
        """Say what a job made."""
        if job.name == "dataset":
            for line in job.log.read_text(encoding="utf-8").splitlines()[1:]:
                self._say(line)
            self._tell_reach(job.folder)
        elif job.stage and job.stage.runs_source:
            source = job.outputs[0].parent.name
            snapshot = read_snapshot(job.outputs[0], ())
            failed = [
                record.entry for record in snapshot.records if record.failure and record.failure[0] == job.stage.name
            ]
            n_done = len(snapshot.records) - len(failed)
            more = f"; failed: {', '.join(failed[:5])}{' …' if len(failed) > 5 else ''}" if failed else ""
            self._say(f"{self.labels[source]}: {job.stage.name}: {n_done} of {len(snapshot.records)}{more}")
        elif job.stage and job.stage.name == PHONONS.name:
            self._tell_phonons(job.outputs[0])
        elif job.name == "page":
            self._say(f"page: {job.outputs[0]}")

    def _tell_reach(self, folder: Path) -> None:
        """Say which potentials reach further than an atom is from its own images in the supercells."""
        rows = read_index(folder / "index.csv", {"entry": str, "image_distance_A": float})
        nearest = min(row["image_distance_A"] for row in rows)
        for name, settings in self.campaign.potentials.items():
            reach = settings.get("receptive_field_A")
            n_shorter = sum(row["image_distance_A"] < reach for row in rows) if reach else 0
            if n_shorter:
                self._say(
                    f"{self.labels[name]}: atoms feel each other up to {reach:g} Å, and are nearer to their own images "
                    f"in {n_shorter} of {len(rows)} supercells (from {nearest:.1f} Å on)"
                )

    def _tell_phonons(self, path: Path) -> None:
        if self._printed >= _PRINTED:
            return
        table, _ = read_table(path, ["entry", "source", "status", "failed_stage", "failed_kind", "frequencies_THz"])
        for row in table.to_pylist():
            self._printed += 1
            if self._printed > _PRINTED:
                return
            source = f"{row['entry']}: {self.labels.get(row['source'], row['source'])}"
            if row["status"] == "done":
                frequencies = [value for of_qpoint in row["frequencies_THz"] for value in of_qpoint]
                text = f"{min(frequencies):.2f} to {max(frequencies):.2f} THz"
                self._say(f"{source}: frequencies {text.replace('-', '−')}")
            else:
                self._say(f"{source}: failed: {row['failed_stage']}: {row['failed_kind']}")

    def _look(self) -> None:
        """Say how far the jobs are that run a potential."""
        texts = []
        for workers in self._workers.values():
            for worker in workers:
                job = worker.job
                if job and job.stage and job.stage.runs_source:
                    partial = partial_of(job.outputs[0])
                    n_done = len(read_snapshot(partial, ()).records) if partial.is_file() else 0
                    texts.append(f"{self.labels[job.potential]}: {job.stage.name}: {n_done} done")
                elif job:
                    texts.append(job.name)
        text = ", ".join(texts)
        if not text:
            return
        if not self._terminal:
            self._say(text)
        else:
            self._erase()
            width = shutil.get_terminal_size().columns - 14
            print(f"{time.monotonic() - self._started:7.1f} s  {text[:width]}", end="", flush=True)


def _ended_by(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"exit code {code}"


def _last_lines(log: Path) -> str:
    try:
        lines: Sequence[str] = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "  (no log)"
    return "\n".join(f"  {line}" for line in lines[-_LAST_LINES:])
