#!/usr/bin/env bash
# SLURM on this one machine, for tests: tests/slurm/slurm.sh install | start | stop
#
# Debian's packages, as root, on loopback only; without systemd, cgroups and accounting. One node `n1`, whose two GPUs are
# pretended, with the partitions `cpu`, `gpu` and `scavenge`, whose jobs are pre-empted by the others'. Everything is in
# SLURM_FOLDER; daemons are stopped by their pids. `scontrol show job` remembers the jobs for a day.
set -euo pipefail
folder=${SLURM_FOLDER:-/tmp/softmode-slurm}
port=${SLURM_PORT:-26817}
# srun inside a job finds the configuration only here
link=/etc/slurm/slurm.conf
export SLURM_CONF=$folder/etc/slurm.conf

install() {
  command -v slurmctld slurmd sbatch munged >/dev/null && return
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends munge slurmctld slurmd slurm-client
}

configure() {
  mkdir -p "$folder"/{etc,log,run,state,dev}
  # munge asks for this
  chmod 755 "$folder" "$folder"/*
  [ -s "$folder/etc/munge.key" ] || (umask 077 && head -c 128 /dev/urandom > "$folder/etc/munge.key")
  touch "$folder"/dev/nvidia{0,1} "$folder/etc/cgroup.conf"
  printf 'AutoDetect=off\nNodeName=n1 Name=gpu File=%s\n' "$folder/dev/nvidia[0-1]" > "$folder/etc/gres.conf"
  cat > "$folder/etc/slurm.conf" <<CONF
ClusterName=softmode
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmUser=root
SlurmdUser=root
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket=$folder/run/munge.socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/run/slurmd
SlurmctldPidFile=$folder/run/slurmctld.pid
SlurmdPidFile=$folder/run/slurmd.pid
SlurmctldLogFile=$folder/log/slurmctld.log
SlurmdLogFile=$folder/log/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=5
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=5,batch_sched_delay=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
ReturnToService=2
KillWait=10
MinJobAge=86400
SlurmctldTimeout=30
SlurmdTimeout=20
MailProg=/bin/true
GresTypes=gpu
SlurmdParameters=config_overrides
NodeName=n1 NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 Port=$((port + 1)) CPUs=4 RealMemory=16000 Gres=gpu:2
PartitionName=cpu Nodes=n1 MaxTime=1-0 PriorityTier=20 PreemptMode=OFF Default=YES
PartitionName=gpu Nodes=n1 MaxTime=1-0 PriorityTier=10 PreemptMode=OFF
PartitionName=scavenge Nodes=n1 MaxTime=1-0 PriorityTier=1 PreemptMode=REQUEUE
CONF
}

wait_for() {
  local end=$((SECONDS + 30))
  until timeout 5 bash -c "$1" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || { echo "slurm.sh: waited in vain for: $1" >&2; tail -n 20 "$folder"/log/*.log >&2; exit 1; }
    sleep 0.2
  done
}

daemon() {
  local name=$1
  shift
  setsid "$@" </dev/null >>"$folder/log/$name.out" 2>&1 &
  echo $! > "$folder/run/$name.started"
}

start() {
  if [ -e "$link" ] && [ "$(readlink "$link")" != "$folder/etc/slurm.conf" ]; then
    echo "slurm.sh: $link is there: this machine has a SLURM of its own" >&2
    exit 1
  fi
  configure
  mkdir -p /etc/slurm
  ln -sfn "$folder/etc/slurm.conf" "$link"
  daemon munged munged --foreground --force --key-file="$folder/etc/munge.key" --socket="$folder/run/munge.socket" \
    --pid-file="$folder/run/munged.pid" --log-file="$folder/log/munged.log" --seed-file="$folder/run/munge.seed"
  wait_for "munge -n -S $folder/run/munge.socket | unmunge -S $folder/run/munge.socket"
  daemon slurmctld slurmctld -D
  wait_for "scontrol ping | grep -q UP"
  daemon slurmd slurmd -D -N n1
  wait_for "sinfo --noheader --partition cpu --states idle --format %N | grep -q n1"
}

stop() {
  local name pid
  # jobs would outlive the daemons; KillWait is 10 s
  if timeout 10 scancel --user "$(id -un)" 2>/dev/null; then
    for _ in $(seq 60); do [ -n "$(timeout 5 squeue --noheader)" ] || break; sleep 0.5; done
  fi
  for name in slurmd slurmctld munged; do
    [ -s "$folder/run/$name.started" ] || continue
    pid=$(cat "$folder/run/$name.started")
    kill -TERM "$pid" 2>/dev/null || true
    for _ in $(seq 75); do kill -0 "$pid" 2>/dev/null || break; sleep 0.2; done
    kill -KILL "$pid" 2>/dev/null || true
    rm "$folder/run/$name.started"
  done
  [ "$(readlink "$link" || true)" != "$folder/etc/slurm.conf" ] || rm "$link"
}

case "${1:-}" in
  install | start | stop) "$1" ;;
  *) sed -n 2p "$0" >&2; exit 2 ;;
esac
