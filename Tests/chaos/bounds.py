# SPDX-License-Identifier: Apache-2.0
"""The limits of the verdict. A bound of time is the promised figure plus a slack: two cores run the service, 200 agents in
Python and Swift, Prometheus and two clients at once, and everybody is scheduled late now and then."""

#: After a death: the first complete scrape. (A supervisor's waits for systemd, which needs some 350 ms of it.)
FIRST_COMPLETE_SECONDS = {"supervisor": 1.0, "exporter": 0.1}
FIRST_COMPLETE_SLACK_SECONDS = 1.0
#: After the supervisor's death series of living agents may be missing for so long: until the first complete scrape.
MISSING_SECONDS = 1.0
#: A scrape asked at the last moment of that may have its answer some 0.1 s later; no slack is needed besides.
MISSING_SLACK_SECONDS = 0.25
#: Every answer, also while agents stand still or a worker is hung: what the client asks for, as Prometheus does.
ANSWER_SECONDS = 4.0
ANSWER_SLACK_SECONDS = 1.0
#: A worker that is killed or hangs is replaced; a supervisor that hangs is noticed by systemd after WatchdogSec=, 3 s, and
#: then started again as one that was killed, 1 s.
REPLACED_SECONDS = {"exporter": 3.0, "ingest": 3.0, "recorder": 3.0, "supervisor": 4.0}
REPLACED_SLACK_SECONDS = 1.0

#: A signal takes effect once its target's core has been interrupted, and its time is noted by another process.
STRIKE_SLACK_SECONDS = 0.05
#: Prometheus writes as time of a scrape when it was due, which is a few milliseconds from when it was.
SCRAPE_SLACK_SECONDS = 0.05
#: A death follows its signal within: a hung supervisor's takes WatchdogSec= 3 s and TimeoutAbortSec= 2 s at most.
DEATH_SECONDS = 7.0
#: Workers die with their supervisor, by PR_SET_PDEATHSIG, or are killed by systemd when it has noticed.
TOGETHER_SECONDS = 1.0
#: A pause that was taken back explains a death only if it was so long: 2 s without a sign of life count as hung, and the
#: last sign may be one beat, 250 ms, old when the pause begins.
HUNG_SECONDS = 1.7
#: A process that is told to end does so within: an exporter that still runs something gets 30 s, and 1 s until it is killed.
ORDERED_SECONDS = {"exporter": 33.0, "ingest": 6.0, "recorder": 6.0, "supervisor": 1.0}
#: The longest time without a sample of an agent that is there: agents read every 10 s, and a reading may be missed twice, by a
#: death of who asks and one of who answers.
RECORDED_SECONDS = 35.0

#: Of the notes that the client makes in the time, so many must be there: a machine that stands still for a while is not one
#: of the service's faults, and a client that died excuses nothing.
NOTES_PART = 0.8
#: From so long a run on every action must have had its effect at least once: then each comes several times.
EFFECT_SECONDS = 300.0

#: Descriptors at the end, in quiet and with as many workers as at the beginning, may be more than then by so many of a
#: kind and role: a client that asks just then. The supervisor has no clients, and ingest's are agents, all of them there.
DESCRIPTORS_MORE = {"exporter": 4, "ingest": 2, "recorder": 1, "supervisor": 0}
#: Rings from an exporter to the workers are there twice, and looked into from the first exporter on that writes into them:
#: one descriptor more for each worker and ring is not a leak.
LOOKED_INTO = ("memory file fodc-commanda", "memory file fodc-commandb")
#: Memory of their own that all processes together may have more at the end than at the beginning, quiet to quiet; among it a
#: profile of 24 MiB, as the agents have, that the recorder is taking in at that moment.
OWN_FACTOR, OWN_BYTES = 1.5, (16 + 24) << 20
#: Of one process, at any time. Measured are 1, 10 and 30 MiB; on top of that an exporter holds reports that slow readers do
#: not take, up to 128 MiB (`MemoryBudgets`), and makes the next one, of which it needs the answers and the JSON.
OWN_MOST_BYTES = {"supervisor": 4 << 20, "ingest": 32 << 20, "recorder": 96 << 20, "exporter": (64 + 128 + 64) << 20}
#: A life tells of growth when it is so long; what comes before is what a process needs to be used to its work.
LIFE_SECONDS, LEARNING_SECONDS = 20.0, 8.0
#: The median of such lives of a role may grow by so much a minute, if there are so many of them. An exporter rarely lives so
#: long here, and a flood makes it grow rightly: it is worn in quiet instead.
GROWTH_BYTES = {"supervisor": 256 << 10, "ingest": 4 << 20}
GROWTH_DESCRIPTORS, GROWTH_LIVES = 2.0, 5
#: Growth that is allowed for all of a role over a round of wear, when the first one has made them used to it.
WEAR_BYTES = {"supervisor": 64 << 10, "ingest": 1 << 20, "exporter": 2 << 20, "recorder": 4 << 20}
