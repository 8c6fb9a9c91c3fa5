# SPDX-License-Identifier: Apache-2.0
"""A small cluster of agents that have something to say on every stream."""
from . import messages
from .messages import configuration, crash, fingerprints, group, lifecycle, registry, topology
from .pprof import Stacks
from .profiles import Capture, Profiles, info, record

LIAISON, HOT, COLD = "banyandb-liaison-0", "banyandb-data-hot-0", "banyandb-data-cold-0"
PROFILE = "20260821T101112.000000000Z"


def start(agents, running) -> list:
    """Three nodes; their schemas disagree in one object, and one flag differs among the data nodes."""
    return [_node(agents, running, number, pod) for number, pod in enumerate((LIAISON, HOT, COLD))]


def _node(agents, running, number: int, pod: str):
    is_liaison = pod == LIAISON
    made = group(f"sw_metrics_{number}", [
        fingerprints("measure", "cpm", **{pod: 7}), fingerprints("stream", "log", **{pod: (8, 9 if is_liaison else 8)})], errors=["disk slow"])
    made.resource_opts.shard_num = 2
    made.resource_opts.segment_interval.unit, made.resource_opts.segment_interval.num = 2, 1
    made.resource_opts.stages.add(name="warm", shard_num=1)
    made.data_info.add(node=messages.node(f"{pod}:17912", pod), data_size_bytes=1 << 20).segment_info.add(segment_id="s-1").shard_info.add(shard_id=1)
    blob = Capture(Stacks("inuse_space", "bytes").add(["main.main", "main.run"], number + 1).gzipped())
    answers = {
        "topology": topology([messages.node(f"{pod}:17912", pod)], [messages.call(f"{pod}:17912", f"{HOT}:17912")]),
        "lifecycle": lifecycle([made], [("report.json", '{"ok": true}')]),
        "diagnostics": [crash(f"crash-{n}-{pod}", 1_800_000_000 + n) for n in range(3)],
        "pressure_profiles": Profiles(
            [record(PROFILE, [info("heap", blob.size), info("goroutine", blob.size)])], {(PROFILE, "heap"): blob, (PROFILE, "goroutine"): blob}),
        "configuration": configuration({"--flag": str(number), "password": "hunter"}, {"limit": "1"}),
    }
    if is_liaison:
        answers["schema_registry"] = registry({f"sw_metrics_{n}": {("measure", "cpm"): 7, ("stream", "log"): 8} for n in range(3)})
    agent = agents(running, pod, role="ROLE_LIAISON" if is_liaison else "ROLE_DATA", labels={"type": "hot"}, answers=answers)
    agent.samples = [agent.sample("banyandb_up", 1), agent.sample("banyandb_odd", float("nan")), agent.sample("banyandb_text", 1, text="\"\\\n")]
    return agent
