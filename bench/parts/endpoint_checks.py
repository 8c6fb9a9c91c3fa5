# SPDX-License-Identifier: Apache-2.0
"""Whether the answers about nodes, lifecycle, crashes, profiles and configurations have everything that agentsim sent."""
import json

from .client import Answer, Wrong


def _count(what: str, found: int, expected: int):
    if found != expected:
        raise Wrong(f"{found} {what} instead of {expected}")


def topology(answer: Answer, agents: int, _given: dict):
    content = json.loads(answer.text())
    _count("nodes", len(content["nodes"]), agents)
    _count("nodes that are online", sum(node.get("status") == "online" for node in content["nodes"]), agents)
    if not content["calls"]:
        raise Wrong("no calls")


def lifecycle(answer: Answer, agents: int, given: dict):
    content = json.loads(answer.text())
    if error := content.get("error"):
        raise Wrong(f"error: {error}")
    _count("agents that responded", content["agent_summary"]["responded"], agents)
    _count("groups", len(content["groups"]), given["groups"])
    for group in content["groups"]:
        status = (group["schema_consistency"] or {}).get("status")
        if status != "CONSISTENCY_STATUS_CONSISTENT":
            raise Wrong(f"{group['name']}: schema status {status}, errors {group['errors']}")


def profiles(answer: Answer, agents: int, given: dict):
    events = json.loads(answer.text())
    _count("capture events", len(events), agents * given["profiles"])
    _count("profiles of an event", min(len(event["profiles"]) for event in events), 2)


def diagnostics(answer: Answer, agents: int, given: dict):
    records = json.loads(answer.text())
    _count("crash records", len(records), agents * given["crash_records"])
    if not all(record["panic_record"]["goroutine_stack"] for record in records):
        raise Wrong("a record has no stack")


def configuration(answer: Answer, agents: int, given: dict):
    content = json.loads(answer.text())
    _count("configurations", len(content["configurations"]), agents)
    _count("nodes without configuration", len(content["not_supported"]), 0)
    _count("differences", len({difference["key"] for difference in content["differences"]}), given["config_differences"])


def cluster(answer: Answer, agents: int, _given: dict):
    content = json.loads(answer.text())
    _count("nodes", len(content["nodes"]), agents)
    _count("nodes that are online", sum(node["status"] == "online" for node in content["nodes"]), agents)
