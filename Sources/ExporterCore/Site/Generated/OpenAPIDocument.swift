// SPDX-License-Identifier: Apache-2.0

// Made from docs/openapi.yaml by scripts/embed-openapi.sh; do not edit.

// swift-format-ignore-file

/// What is served at `/openapi.yaml`.
enum OpenAPIDocument {
    static let contentType = "application/yaml"

    static let text = ##"""
        # SPDX-License-Identifier: Apache-2.0
        # The HTTP interface of the exporter. scripts/embed-openapi.sh generates
        # Sources/ExporterCore/Site/Generated/OpenAPIDocument.swift from it; Tests/e2e checks every answer against it.
        openapi: 3.1.0
        info:
          title: FODC proxy
          version: "1"
          license: {name: Apache 2.0, identifier: Apache-2.0}
          description: |
            Metrics and reports of the agents on BanyanDB's nodes.

            Every path answers GET and HEAD; other methods get 405 with `Allow: GET, HEAD`, unknown paths 404. An error is one
            line of text that names what is wrong and the value. Filters are optional and combine with "and"; a filter that
            matches nothing gives an empty result. Unlisted parameters are ignored; a path or query with NUL, or with bytes that
            are not UTF-8, is malformed (400). When all connections are in use, paths other than `/metrics`, `/health` and
            `/-/…` may be answered with 503 and `Retry-After`. Times are RFC 3339 in UTC; an unknown time is
            `0001-01-01T00:00:00Z` where the field is required. Answers may get fields that are not listed here.

            Where the proxy has a web configuration with users, or a file of bearer tokens, every path but `/-/…` needs
            credentials (401 without, 403 for a token that is not for the path), and `/health` tells the status alone without
            them. A token's scopes: `metrics` for `/metrics` and `/metrics-windows`, `profiles` for `/diagnostics` and
            `/pressure-profiles…`, `read` for all else. More requests than the configured rate, or a password from an address
            that wrong ones came from: 429 with `Retry-After`.
        servers:
          - url: /
        security:
          - {}
          - basic: []
          - bearer: []
        tags:
          - {name: metrics}
          - {name: cluster}
          - {name: diagnosis}
          - {name: history, description: What is known of nodes that are gone}
          - {name: proxy, description: The proxy itself}

        paths:
          /:
            get:
              tags: [proxy]
              operationId: getHome
              summary: The endpoints, for people
              description: |
                Text. When `Accept` names `text/html` and does not prefer `text/plain`, a redirection to the pages at `ui/`,
                which use the endpoints of this document alone.
              responses:
                "200":
                  description: The list
                  content:
                    text/plain: {schema: {type: string}}
                "302":
                  description: The pages, for a browser
                  headers:
                    Location: {required: true, schema: {type: string}}
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "400": {$ref: "#/components/responses/BadRequest"}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}

          /openapi.yaml:
            get:
              tags: [proxy]
              operationId: getOpenAPI
              summary: This document
              responses:
                "200":
                  description: OpenAPI 3.1
                  content:
                    application/yaml: {schema: {type: object}}
                "400": {$ref: "#/components/responses/BadRequest"}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}

          /health:
            get:
              tags: [proxy]
              operationId: getHealth
              summary: State of the proxy and its workers
              description: 200 also when it is degraded, because it still serves then.
              responses:
                "200":
                  description: Its state
                  content:
                    application/json:
                      schema: {anyOf: [{$ref: "#/components/schemas/Health"}, {$ref: "#/components/schemas/HealthStatus"}]}
                "400": {$ref: "#/components/responses/BadRequest"}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}

          /-/healthy:
            get:
              tags: [proxy]
              operationId: getHealthy
              summary: Liveness probe
              responses:
                "200":
                  description: Yes
                  content:
                    text/plain: {schema: {type: string}}
                "400": {$ref: "#/components/responses/BadRequest"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}

          /-/ready:
            get:
              tags: [proxy]
              operationId: getReady
              summary: Readiness probe
              responses:
                "200":
                  description: Yes
                  content:
                    text/plain: {schema: {type: string}}
                "400": {$ref: "#/components/responses/BadRequest"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503":
                  description: It is draining, or no ingest worker is running; the text says which
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}

          /metrics:
            get:
              tags: [metrics]
              operationId: getMetrics
              summary: The latest value of every series of every agent
              description: |
                Collected on demand; concurrent requests share the collection, and a request with a filter uses the answers of a
                collection of the last second. Waits for agents until the scrape's own deadline, 10 s at most, and serves the
                values that have arrived; `fodc_proxy_scrape_agents` and the header `X-Fodc-Agents-Left-Out` tell how many
                agents have not answered. Without a filter the proxy's own metrics (`fodc_proxy_…`) and
                `banyandb_fodc_schema_consistency_status{group="…"}` (1 consistent, 2 inconsistent, 3 unknown) are there too. A
                filter that matches no agent is answered with a comment line that says so.
              parameters:
                - $ref: "#/components/parameters/Role"
                - $ref: "#/components/parameters/PodName"
                - name: X-Prometheus-Scrape-Timeout-Seconds
                  in: header
                  description: The scrape's deadline, as Prometheus sends it; ignored unless it is a number
                  schema: {type: string}
              responses:
                "200":
                  description: Prometheus text format 0.0.4, families and labels sorted, compressed with gzip if accepted
                  headers:
                    X-Fodc-Agents-Left-Out: {$ref: "#/components/headers/AgentsLeftOut"}
                  content:
                    text/plain: {schema: {type: string}}
                "400": {$ref: "#/components/responses/BadRequest"}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/NotWhole"}

          /metrics-windows:
            get:
              tags: [metrics]
              operationId: getMetricsWindows
              summary: Time series of a window, or the latest values
              description: |
                With both times the window between them, otherwise the latest values. Any range is allowed: agents hold minutes
                or hours, and the time of an answer depends on how much they hold. Waits as long as agents send, 5 min at most.
                An incomplete answer is a 503: an agent has sent nothing for 10 s, has just lost its connection and is not back
                within 2 s, or the proxy has lost a part.
              parameters:
                - name: start_time
                  in: query
                  description: RFC 3339, clamped to 1678 to 2262; not after `end_time`. Empty counts as not set
                  schema: {$ref: "#/components/schemas/TimeOrEmpty"}
                - name: end_time
                  in: query
                  description: RFC 3339, clamped to 1678 to 2262
                  schema: {$ref: "#/components/schemas/TimeOrEmpty"}
                - $ref: "#/components/parameters/Role"
                - $ref: "#/components/parameters/PodName"
              responses:
                "200":
                  description: One element per series and agent, sorted by name, pod name and labels
                  headers:
                    X-Fodc-Agents-Left-Out: {$ref: "#/components/headers/AgentsLeftOut"}
                  content:
                    application/json:
                      schema:
                        type: array
                        items: {$ref: "#/components/schemas/SeriesWindow"}
                "400":
                  description: An invalid time, a start after the end, or a malformed request; the text names it
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503":
                  description: >-
                    Too many windows are in progress, the answer would need too much memory, or it would be incomplete; the text
                    names the reason
                  headers:
                    Retry-After: {required: true, description: Seconds, schema: {type: integer}}
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}

          /fleet:
            get:
              tags: [cluster]
              operationId: getFleet
              summary: One row a node, failing ones first
              description: |
                Registered nodes and those that are gone, with small histories of the last half hour, one point every
                `history_interval_seconds`. Served without asking agents. With `If-None-Match` of an earlier answer's `ETag`, an
                answer that is the same is a 304. Parameters that are empty count as not given.
              parameters:
                - $ref: "#/components/parameters/Role"
                - {name: tier, in: query, description: "Only nodes of this tier, such as `hot`", schema: {type: string}}
                - name: state
                  in: query
                  description: "`failing`: all but `online`"
                  schema:
                    anyOf:
                      - {$ref: "#/components/schemas/NodeState"}
                      - {type: string, enum: [failing, ""]}
                - name: text
                  in: query
                  description: Only nodes that have this text in a name, role, tier, zone, address or cause; in any case
                  schema: {type: string}
                - name: sort
                  in: query
                  description: A minus sign in front reverses
                  schema:
                    type: string
                    enum: ["", state, name, series, age, memory, cpu, "-state", "-name", "-series", "-age", "-memory", "-cpu"]
                - name: limit
                  in: query
                  description: Rows of one answer, 100 if not given
                  schema:
                    anyOf:
                      - {type: integer, minimum: 1, maximum: 1000}
                      - {type: string, maxLength: 0}
                - name: cursor
                  in: query
                  description: The `next_cursor` of an earlier answer
                  schema:
                    anyOf:
                      - {type: integer, minimum: 0, maximum: 2147483647}
                      - {type: string, maxLength: 0}
                - name: format
                  in: query
                  description: |
                    `csv` (RFC 4180) has the newest values in place of histories. An agent's text that begins like a formula
                    has an apostrophe before it.
                  schema: {type: string, enum: ["", json, csv]}
              responses:
                "200":
                  description: A page of rows
                  headers:
                    ETag: {required: true, schema: {type: string}}
                  content:
                    text/csv: {schema: {type: string}}
                    application/json: {schema: {$ref: "#/components/schemas/Fleet"}}
                "400":
                  description: A parameter with a value that is not allowed, or a malformed request; the text names it
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}

          /cluster/graph:
            get:
              tags: [cluster]
              operationId: getClusterGraph
              summary: The cluster as a graph
              description: |
                Nodes by tier with their states, and the calls between them with the rates of the last half minute. Agents are
                asked for their topology twice a minute at most and have 0.3 s to answer; the last answers count. At most the
                400 worst and busiest calls are in it. `If-None-Match` as for `/fleet`.
              parameters:
                - name: format
                  in: query
                  description: "`svg` if not given"
                  schema: {type: string, enum: ["", svg, dot, mermaid, json]}
                - name: pod_name
                  in: query
                  description: Only this node and those that it calls or is called by
                  schema: {type: string}
              responses:
                "200":
                  description: The graph
                  headers:
                    ETag: {required: true, schema: {type: string}}
                  content:
                    image/svg+xml: {schema: {type: string}}
                    text/vnd.graphviz: {schema: {type: string}}
                    text/plain: {schema: {type: string}}
                    application/json: {schema: {$ref: "#/components/schemas/ClusterGraph"}}
                "400":
                  description: An unknown format, or a malformed request; the text names it
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/TooLarge"}

          /proxy:
            get:
              tags: [proxy]
              operationId: getProxy
              summary: The proxy itself, in full
              description: |
                The state that `fodc-proxy ctl status` tells, with resources, rings, and each counter of refusals, losses and
                failures that is not 0.
              responses:
                "200":
                  description: Its state
                  headers:
                    ETag: {required: true, schema: {type: string}}
                  content:
                    application/json: {schema: {$ref: "#/components/schemas/ProxyState"}}
                "400": {$ref: "#/components/responses/BadRequest"}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}

          /cluster:
            get:
              tags: [cluster]
              operationId: getCluster
              summary: The registry of agents
              description: Served without asking agents. The calls are those of the newest topology.
              parameters:
                - $ref: "#/components/parameters/Role"
                - $ref: "#/components/parameters/PodName"
                - name: status
                  in: query
                  description: Empty counts as not set
                  schema:
                    anyOf:
                      - {$ref: "#/components/schemas/AgentStatus"}
                      - {type: string, maxLength: 0}
                - name: labels
                  in: query
                  description: "`label.KEY=VALUE`: only agents whose label KEY has that value; may be given for several keys"
                  style: form
                  explode: true
                  schema:
                    type: object
                    patternProperties:
                      "^label\\..": {type: string, minLength: 1}
                  example: {label.type: hot}
              responses:
                "200":
                  description: Agents and calls
                  content:
                    application/json: {schema: {$ref: "#/components/schemas/Cluster"}}
                "400":
                  description: An invalid status, a `label.` without key or value, or a malformed request; the text names it
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/TooLarge"}

          /cluster/topology:
            get:
              tags: [cluster]
              operationId: getTopology
              summary: Nodes and the calls between them
              description: Waits 10 s for agents at most; the last known answer of a silent agent is served.
              responses:
                "200":
                  description: Nodes merged by name, calls by id
                  headers:
                    X-Fodc-Agents-Left-Out: {$ref: "#/components/headers/AgentsLeftOut"}
                  content:
                    application/json: {schema: {$ref: "#/components/schemas/Topology"}}
                "400": {$ref: "#/components/responses/BadRequest"}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/TooLarge"}

          /cluster/lifecycle:
            get:
              tags: [cluster]
              operationId: getLifecycle
              summary: Groups, segments, lifecycle reports, and whether schemas agree with the registry
              description: Waits 50 s for an agent, 100 s in all.
              responses:
                "200":
                  description: The reports that have arrived; `error` if no report has arrived
                  headers:
                    X-Fodc-Agents-Left-Out: {$ref: "#/components/headers/AgentsLeftOut"}
                  content:
                    application/json: {schema: {$ref: "#/components/schemas/Lifecycle"}}
                "400": {$ref: "#/components/responses/BadRequest"}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/TooLarge"}

          /cluster/config:
            get:
              tags: [cluster]
              operationId: getConfigurations
              summary: How nodes are configured, and where nodes of one role differ
              description: |
                Configurations of agents with the extension in docs/extensions.md. Values are public: a value that is recognised
                as a secret, by its key or its shape, is shown as `***` and still compared, but not every secret can be
                recognised.
              parameters:
                - name: agent_id
                  in: query
                  schema: {type: string}
                - $ref: "#/components/parameters/Role"
                - $ref: "#/components/parameters/PodName"
              responses:
                "200":
                  description: Configurations and differences
                  headers:
                    X-Fodc-Agents-Left-Out: {$ref: "#/components/headers/AgentsLeftOut"}
                  content:
                    application/json: {schema: {$ref: "#/components/schemas/Configurations"}}
                "400": {$ref: "#/components/responses/BadRequest"}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/TooLarge"}

          /diagnostics:
            get:
              tags: [diagnosis]
              operationId: getDiagnostics
              summary: Crash records, newest first
              description: The newest 64 of each agent. Filters ignore case.
              parameters:
                - $ref: "#/components/parameters/Role"
                - $ref: "#/components/parameters/PodName"
                - name: include
                  in: query
                  description: "`gone`: also records of agents that are gone, as far as the black box has them"
                  schema: {type: string, enum: ["", gone]}
              responses:
                "200":
                  description: One element per agent and artifact folder
                  headers:
                    X-Fodc-Parts-Damaged: {$ref: "#/components/headers/PartsDamaged"}
                  content:
                    application/json:
                      schema:
                        type: array
                        items: {$ref: "#/components/schemas/CrashRecord"}
                "400": {$ref: "#/components/responses/BadRequest"}
                "404":
                  description: "`include=gone`, and nothing is recorded here"
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/TooLarge"}

          /pressure-profiles:
            get:
              tags: [diagnosis]
              operationId: getPressureProfiles
              summary: Profiles taken under memory pressure, newest first
              description: |
                Waits 10 s for agents at most. Filters ignore case. Captures of agents that are gone are listed as far as the
                proxy has their bytes (`stored`).
              parameters:
                - $ref: "#/components/parameters/Role"
                - $ref: "#/components/parameters/PodName"
              responses:
                "200":
                  description: One element per capture
                  headers:
                    X-Fodc-Black-Box-Left-Out: {$ref: "#/components/headers/BlackBoxLeftOut"}
                    X-Fodc-Agents-Left-Out: {$ref: "#/components/headers/AgentsLeftOut"}
                  content:
                    application/json:
                      schema:
                        type: array
                        items: {$ref: "#/components/schemas/PressureProfile"}
                "400": {$ref: "#/components/responses/BadRequest"}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/TooLarge"}

          /pressure-profiles/{pod_name}/{profile_id}/{type}:
            get:
              tags: [diagnosis]
              operationId: downloadPressureProfile
              summary: The bytes of a profile, for pprof; or as picture, table or data
              description: |
                Streamed as the agent sends it, or out of the black box when the agent is gone or does not answer. If the agent
                fails midway the connection is cut: the chunked body lacks its end.
                One download at a time per agent; others wait. A client that reads nothing for 30 s is cut off.

                With `format` the proxy reads the profile itself, gzip or not, and answers with a flame graph (`svg`), a line a
                stack (`collapsed`), a file for speedscope.app (`speedscope`), the functions by cost (`top`) or the tree of
                calls (`json`). The kind of values is the profile's default or `type`. With `diff` it is the difference from
                another capture of the same kind, of this pod or of `diff_pod`: of `top` the values are those of the profile
                less those of the base, of `collapsed` each line has the base's number first, of the others both are there.
              parameters:
                - name: pod_name
                  in: path
                  required: true
                  schema: {type: string, minLength: 1}
                - name: profile_id
                  in: path
                  required: true
                  schema: {type: string, minLength: 1}
                - name: type
                  in: path
                  required: true
                  schema: {type: string, enum: [heap, goroutine]}
                - name: format
                  in: query
                  description: The form in which the profile is wanted; without it the agent's bytes
                  schema: {type: string, enum: [svg, collapsed, speedscope, top, json]}
                - name: type
                  in: query
                  description: The kind of values that counts, such as `inuse_space`; needs `format`
                  schema: {type: string, minLength: 1}
                - name: diff
                  in: query
                  description: The `profile_id` of the capture to compare with; needs `format`
                  schema: {type: string, minLength: 1}
                - name: diff_pod
                  in: query
                  description: The pod of that capture, if it is another; needs `diff`
                  schema: {type: string, minLength: 1}
              responses:
                "200":
                  description: pprof, or the wanted form
                  headers:
                    Content-Disposition:
                      required: true
                      description: attachment; filename="POD-ROLE-PROFILE-TYPE.pprof", or another ending for another form
                      schema: {type: string}
                  content:
                    application/octet-stream: {}
                    image/svg+xml: {}
                    text/plain: {schema: {type: string}}
                    application/json:
                      schema:
                        oneOf:
                          - $ref: "#/components/schemas/ProfileTree"
                          - $ref: "#/components/schemas/SpeedscopeFile"
                "400":
                  description: >-
                    The type is neither `heap` nor `goroutine`, `format` is not one of those, the profile has no such kind of
                    values, or the request is malformed
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "404":
                  description: No such pod, profile or type, or the agent no longer has it; the text has the agent's reason
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "422":
                  description: With `format`, a profile that is not in pprof's format, or is too large to be shown
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "502":
                  description: The agent disconnected or failed before the first byte
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "503":
                  description: >-
                    Slow clients' downloads fill `--spool-max-size`, too many downloads wait, too many profiles are being read,
                    or the agent has not answered whether it has the profile
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "504":
                  description: The agent sent nothing for 30 s
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}

          /black-box:
            get:
              tags: [history]
              operationId: getBlackBox
              summary: The nodes that the black box knows, live and gone
              description: |
                Records are kept for as long as `--black-box-max-age` and `--black-box-max-size` allow, whether the node
                is still there or not.
              responses:
                "200":
                  description: The nodes, in the order of their pods' names
                  headers:
                    X-Fodc-Parts-Damaged: {$ref: "#/components/headers/PartsDamaged"}
                  content:
                    application/json: {schema: {$ref: "#/components/schemas/BlackBox"}}
                "400": {$ref: "#/components/responses/BadRequest"}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "404": {$ref: "#/components/responses/NotRecorded"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/BoxUnreadable"}

          /black-box/{pod_name}:
            get:
              tags: [history]
              operationId: getRecordedSamples
              summary: The recorded samples of a node
              description: |
                Every value as the agent sent it. `openmetrics` has times in seconds and ends with `# EOF`; metrics that are no
                gauges are of type `unknown` there, because OpenMetrics asks counters for a suffix. `prometheus` has times in
                milliseconds. `json` has the elements of `/metrics-windows`, with times as exact as they are known. Streamed; a
                failure midway cuts the connection. Two answers of this kind, or bundles, are made at a time.
              parameters:
                - $ref: "#/components/parameters/RecordedPod"
                - $ref: "#/components/parameters/RangeStart"
                - $ref: "#/components/parameters/RangeEnd"
                - name: match
                  in: query
                  description: Only these series, `name` or `name{label="value"}`; repeatable, 64 at most
                  schema:
                    type: array
                    maxItems: 64
                    items:
                      type: string
                      pattern: "^(|[a-zA-Z_:][a-zA-Z0-9_:]*(\\{[a-zA-Z_][a-zA-Z0-9_]*=\"[^\"\\\\]*\"\
                        (,[a-zA-Z_][a-zA-Z0-9_]*=\"[^\"\\\\]*\")*\\})?)$"
                - name: format
                  in: query
                  schema: {type: string, enum: ["", openmetrics, prometheus, json], default: openmetrics}
              responses:
                "200":
                  description: The samples, series by series in the order of their names
                  headers:
                    X-Fodc-Parts-Damaged: {$ref: "#/components/headers/PartsDamaged"}
                  content:
                    application/openmetrics-text: {schema: {type: string}}
                    text/plain: {schema: {type: string}}
                    application/json:
                      schema:
                        type: array
                        items: {$ref: "#/components/schemas/RecordedSeries"}
                "400":
                  description: An invalid parameter, a start after the end, or a malformed request; the text names it
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "404": {$ref: "#/components/responses/NotRecorded"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/BoxUnreadable"}

          /black-box/{pod_name}/summary:
            get:
              tags: [history]
              operationId: getRecordedSummary
              summary: A node's most telling metrics, thinned out for charts
              description: |
                The metrics that upstream's dashboards show of a node: CPU, memory, disk, network, goroutines, writes, queries,
                errors, uptime. Counters are shown as their increase a second, gauges by their highest value in a step; a line
                has 240 points at most. Charts without values are left out.
              parameters:
                - $ref: "#/components/parameters/RecordedPod"
                - $ref: "#/components/parameters/RangeStart"
                - $ref: "#/components/parameters/RangeEnd"
              responses:
                "200":
                  description: The charts
                  headers:
                    X-Fodc-Parts-Damaged: {$ref: "#/components/headers/PartsDamaged"}
                  content:
                    application/json: {schema: {$ref: "#/components/schemas/NodeSummary"}}
                "400":
                  description: An invalid time, a start after the end, a range that is too long, or a malformed request
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "404": {$ref: "#/components/responses/NotRecorded"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/BoxUnreadable"}

          /incidents:
            get:
              tags: [history]
              operationId: getIncidents
              summary: Incidents, newest first
              parameters:
                - name: kind
                  in: query
                  schema: {anyOf: [{$ref: "#/components/schemas/IncidentKind"}, {type: string, maxLength: 0}]}
                - name: pod_name
                  in: query
                  description: Only of this pod, exactly
                  schema: {type: string}
                - name: since
                  in: query
                  description: Those that were open then or happened later; not after `until`
                  schema: {$ref: "#/components/schemas/TimeOrEmpty"}
                - name: until
                  in: query
                  description: Those that were opened until then
                  schema: {$ref: "#/components/schemas/TimeOrEmpty"}
                - name: limit
                  in: query
                  schema: {type: integer, minimum: 1, maximum: 1000, default: 100}
              responses:
                "200":
                  description: The newest that match
                  headers:
                    X-Fodc-Parts-Damaged: {$ref: "#/components/headers/PartsDamaged"}
                  content:
                    application/json: {schema: {$ref: "#/components/schemas/Incidents"}}
                "400":
                  description: An invalid parameter, `since` after `until`, or a malformed request; the text names it
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "404": {$ref: "#/components/responses/NotRecorded"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/BoxUnreadable"}

          /incidents/{id}:
            get:
              tags: [history]
              operationId: getIncident
              summary: An incident, and what was kept for it
              parameters:
                - $ref: "#/components/parameters/IncidentID"
              responses:
                "200":
                  description: The incident
                  headers:
                    X-Fodc-Parts-Damaged: {$ref: "#/components/headers/PartsDamaged"}
                  content:
                    application/json: {schema: {$ref: "#/components/schemas/KeptIncident"}}
                "400": {$ref: "#/components/responses/BadRequest"}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "404": {$ref: "#/components/responses/NotRecorded"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/BoxUnreadable"}

          /incidents/{id}/changes:
            get:
              tags: [history]
              operationId: getIncidentChanges
              summary: Configuration, topology and schema that changed in the minutes around an incident
              description: |
                Each answer of the nodes whose samples the incident keeps is compared with the one before it; for an incident
                of a schema group, the schema of this group on all nodes. Agents are asked once a minute, so that a change is
                noticed up to a minute later. Values of secrets are `***`, and are compared all the same.
              parameters:
                - $ref: "#/components/parameters/IncidentID"
              responses:
                "200":
                  description: The changes
                  content:
                    application/json: {schema: {$ref: "#/components/schemas/IncidentChanges"}}
                "400": {$ref: "#/components/responses/BadRequest"}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "404": {$ref: "#/components/responses/NotRecorded"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/BoxUnreadable"}

          /incidents/{id}/bundle:
            get:
              tags: [history]
              operationId: getIncidentBundle
              summary: All that is known of an incident, as `.tar.gz`
              description: |
                `README.txt` (what is what, and the commands that load it), `incident.json`, `crash.json`, `topology.json`,
                `config.json`, `metrics.om`, `neighbours/*.om`, `profiles/*.pprof`, and `DAMAGED.txt` if damaged parts of the
                database are left out. Streamed; a failure midway cuts the connection. A token needs the scopes `read` and
                `profiles`.
              parameters:
                - $ref: "#/components/parameters/IncidentID"
              responses:
                "200":
                  description: The archive
                  headers:
                    Content-Disposition:
                      required: true
                      description: attachment; filename="incident-ID.tar.gz"
                      schema: {type: string}
                  content:
                    application/gzip: {}
                "400": {$ref: "#/components/responses/BadRequest"}
                "401": {$ref: "#/components/responses/NoCredentials"}
                "403": {$ref: "#/components/responses/NotAllowed"}
                "404": {$ref: "#/components/responses/NotRecorded"}
                "408": {$ref: "#/components/responses/TooSlow"}
                "414": {$ref: "#/components/responses/URITooLong"}
                "429": {$ref: "#/components/responses/TooMany"}
                "431": {$ref: "#/components/responses/HeadTooLarge"}
                "503": {$ref: "#/components/responses/BoxUnreadable"}

        components:
          securitySchemes:
            basic: {type: http, scheme: basic, description: A user of the web configuration; may ask for everything}
            bearer: {type: http, scheme: bearer, description: A token of `--http-tokens-file`; for its scopes and paths}

          parameters:
            Role:
              name: role
              in: query
              description: Only agents of this role, such as `ROLE_DATA`
              schema: {type: string}
            PodName:
              name: pod_name
              in: query
              description: Only the agent of this pod
              schema: {type: string}
            RecordedPod:
              name: pod_name
              in: path
              required: true
              description: As `/black-box` has it
              schema: {type: string, minLength: 1}
            IncidentID:
              name: id
              in: path
              required: true
              description: As `/incidents` has it
              schema: {type: string, minLength: 1}
            RangeStart:
              name: start
              in: query
              description: RFC 3339, not after `end`. Without it 15 min before the end
              schema: {$ref: "#/components/schemas/TimeOrEmpty"}
            RangeEnd:
              name: end
              in: query
              description: RFC 3339, included. Without it the time of the node's last sample
              schema: {$ref: "#/components/schemas/TimeOrEmpty"}

          headers:
            AgentsLeftOut:
              description: >-
                Number of connected agents that have not answered in time and are left out because nothing is known of them.
                Absent if empty
              schema: {type: integer, minimum: 1}
            PartsDamaged:
              description: Number of damaged parts of the database that are left out. Absent if nothing is damaged
              schema: {type: integer, minimum: 1}
            BlackBoxLeftOut:
              description: >-
                The database cannot be read, and agents that are gone are left out of the answer. Absent if nothing is left out
              schema: {type: string, enum: [unreadable]}

          responses:
            BadRequest:
              description: A malformed request
              content:
                text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
            NoCredentials:
              description: Credentials are needed, or these are wrong
              headers:
                WWW-Authenticate: {required: true, description: What is taken, schema: {type: string}}
              content:
                text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
            NotAllowed:
              description: The token is known, and not for this path; the text names a scope that it lacks
              content:
                text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
            TooMany:
              description: More requests than the configured rate, or wrong passwords came from this address
              headers:
                Retry-After: {required: true, description: Seconds, schema: {type: integer}}
              content:
                text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
            TooSlow:
              description: The request was incomplete after `--http-read-timeout`
              content:
                text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
            TooLarge:
              description: >-
                The answer, or answers that wait for slow clients, would need too much memory, or it would be incomplete
              headers:
                Retry-After: {required: true, description: Seconds, schema: {type: integer}}
              content:
                text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
            NotWhole:
              description: Some agents could not be asked, so the answer would be incomplete
              headers:
                Retry-After: {required: true, description: Seconds, schema: {type: integer}}
              content:
                text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
            NotRecorded:
              description: It is not known, or nothing is recorded here; the text says which, and how recording is turned on
              content:
                text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
            BoxUnreadable:
              description: As many such answers are being made as may be, or the database cannot be read at present
              headers:
                Retry-After: {required: true, description: Seconds, schema: {type: integer}}
              content:
                text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
            URITooLong:
              description: The request line is too long
              content:
                text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
            HeadTooLarge:
              description: The header fields are too large
              content:
                text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}

          schemas:
            ErrorText:
              type: string
              minLength: 1
            Time:
              type: string
              format: date-time
            TimeOrEmpty:
              anyOf:
                - {$ref: "#/components/schemas/Time"}
                - {type: string, maxLength: 0}
            Integer64Text:
              description: A 64-bit integer, as text because JSON numbers do not hold it exactly
              type: string
              pattern: "^-?[0-9]+$"
            Labels:
              type: object
              additionalProperties: {type: string}
            CountOrNull:
              type: [integer, "null"]
              minimum: 0
            NodeState:
              description: |
                `gone`: it has left the registry; `unconnected`: its connection is lost, a short time ago; `silent`: it is
                registered, and does not answer for metrics while others do
              type: string
              enum: [gone, unconnected, silent, online]

            Fleet:
              type: object
              required: [nodes, matching, counts, roles, tiers, next_cursor, recording, history_interval_seconds]
              properties:
                nodes:
                  type: array
                  items: {$ref: "#/components/schemas/FleetNode"}
                matching: {type: integer, minimum: 0, description: Nodes that match the filter, on all pages}
                counts:
                  description: Of all nodes, by state
                  type: object
                  required: [gone, unconnected, silent, online]
                  additionalProperties: {type: integer, minimum: 0}
                roles: {type: array, items: {type: string}}
                tiers: {type: array, items: {type: string}}
                next_cursor: {type: [string, "null"], description: null on the last page}
                recording: {type: boolean, description: Whether there is a black box}
                history_interval_seconds: {type: integer, minimum: 1}

            FleetNode:
              type: object
              required: [node_id, agent_id, node_role, tier, zone, address, state, why, since, streams, ingest_worker,
                registered_at, last_sample_at, series, restarts, open_incidents, memory_bytes, cpu_millicores]
              properties:
                node_id: {type: string, description: The pod name}
                agent_id: {type: string}
                node_role: {type: string}
                tier: {type: string, description: "The label `type`, without it the role's name"}
                zone: {type: string}
                address: {type: string}
                state: {$ref: "#/components/schemas/NodeState"}
                why: {type: string, description: Why it is not online}
                since: {$ref: "#/components/schemas/TimeOrNull"}
                streams: {type: array, items: {type: string}}
                ingest_worker: {$ref: "#/components/schemas/CountOrNull"}
                registered_at: {$ref: "#/components/schemas/TimeOrNull"}
                last_sample_at: {$ref: "#/components/schemas/TimeOrNull"}
                series: {type: integer, minimum: 0}
                restarts: {$ref: "#/components/schemas/CountOrNull"}
                open_incidents: {$ref: "#/components/schemas/CountOrNull"}
                memory_bytes:
                  description: Resident memory of its processes, the newest last; null where it is not known
                  type: array
                  items: {$ref: "#/components/schemas/CountOrNull"}
                cpu_millicores:
                  description: Thousandths of a core, the same
                  type: array
                  items: {$ref: "#/components/schemas/CountOrNull"}

            ClusterGraph:
              type: object
              required: [nodes, edges, edges_left_out]
              properties:
                nodes:
                  type: array
                  items:
                    type: object
                    required: [node_id, tier, state, why]
                    properties:
                      node_id: {type: string}
                      tier: {type: string}
                      state:
                        anyOf:
                          - {$ref: "#/components/schemas/NodeState"}
                          - {type: string, enum: [no-agent]}
                      why: {type: string}
                edges:
                  type: array
                  items:
                    type: object
                    required: [source, target, requests_per_second, failed_share, latency_seconds]
                    properties:
                      source: {type: string}
                      target: {type: string}
                      requests_per_second: {type: [number, "null"], description: null if it is not measured}
                      failed_share: {type: [number, "null"], minimum: 0, maximum: 1}
                      latency_seconds: {type: [number, "null"], description: On average}
                edges_left_out: {type: integer, minimum: 0}

            ProxyState:
              type: object
              required: [version, status, reasons, started_at, agents_online, agents_total, max_agents, ingest_workers_wanted,
                supervisor_starts, reloads, processes, rings, http, certificates, limits]
              properties:
                version: {type: string}
                status: {type: string, enum: [healthy, degraded]}
                reasons: {type: array, items: {type: string}}
                started_at: {$ref: "#/components/schemas/Time"}
                agents_online: {type: integer, minimum: 0}
                agents_total: {type: integer, minimum: 0}
                max_agents: {type: integer, minimum: 0}
                ingest_workers_wanted: {type: integer, minimum: 0}
                supervisor_starts: {type: integer, minimum: 0}
                reloads:
                  type: object
                  required: [succeeded, failed, last_at]
                  properties:
                    succeeded: {type: integer, minimum: 0}
                    failed: {type: integer, minimum: 0}
                    last_at: {$ref: "#/components/schemas/TimeOrNull"}
                processes:
                  type: array
                  items:
                    type: object
                    required: [name, pid, state, generation, started_at, restarts, restarts_by_cause, deaths_in_row, last_end,
                      resident_bytes, cpu_seconds]
                    properties:
                      name: {type: string}
                      pid: {type: integer}
                      state: {type: string, enum: [dead, starting, running, draining, drained]}
                      generation: {type: integer, minimum: 0}
                      started_at: {$ref: "#/components/schemas/TimeOrNull"}
                      restarts: {type: integer, minimum: 0}
                      restarts_by_cause: {type: object, additionalProperties: {type: integer, minimum: 1}}
                      deaths_in_row: {type: integer, minimum: 0}
                      last_end:
                        oneOf:
                          - type: "null"
                          - type: object
                            required: [cause, detail, at]
                            properties:
                              cause: {type: string}
                              detail: {type: integer, description: The exit code or the signal}
                              at: {$ref: "#/components/schemas/Time"}
                      resident_bytes: {$ref: "#/components/schemas/CountOrNull"}
                      cpu_seconds: {type: [number, "null"], minimum: 0}
                rings:
                  type: array
                  items:
                    type: object
                    required: [worker, bytes, used_bytes, current_bytes, unread_bytes, is_full, back_pressure_seconds,
                      agents_online, agents_unconnected, connections]
                    properties:
                      worker: {type: string}
                      bytes: {type: integer, minimum: 0}
                      used_bytes: {type: integer, minimum: 0}
                      current_bytes: {type: integer, minimum: 0, description: Of current records, which cannot be discarded}
                      unread_bytes: {type: integer, minimum: 0}
                      is_full: {type: boolean}
                      back_pressure_seconds: {type: number, minimum: 0}
                      agents_online: {type: integer, minimum: 0}
                      agents_unconnected: {type: integer, minimum: 0}
                      connections: {type: integer, minimum: 0}
                http:
                  type: object
                  required: [connections, closed]
                  properties:
                    connections: {type: integer, minimum: 0}
                    closed: {type: object, additionalProperties: {type: integer, minimum: 1}}
                certificates:
                  type: array
                  items:
                    type: object
                    required: [series, expires_at]
                    properties:
                      series: {type: string}
                      expires_at: {$ref: "#/components/schemas/Time"}
                limits:
                  description: Counters of refusals, losses and failures that are not 0
                  type: array
                  items:
                    type: object
                    required: [series, count, help]
                    properties:
                      series: {type: string, minLength: 1}
                      count: {type: number}
                      help: {type: string}

            AgentStatus:
              description: "`unconnected`: missed its heartbeats or lost its registration, a short time ago"
              type: string
              enum: [online, unconnected]

            HealthStatus:
              description: Without credentials, where they are needed
              type: object
              required: [status]
              properties:
                status: {type: string, enum: [healthy, degraded]}

            Health:
              type: object
              required: [status, agents_online, agents_total, uptime_seconds, version, workers]
              properties:
                status: {type: string, enum: [healthy, degraded]}
                reason: {type: string, description: There when degraded}
                agents_online: {type: integer, minimum: 0}
                agents_total: {type: integer, minimum: 0}
                uptime_seconds: {type: integer, minimum: 0}
                version: {type: string}
                workers:
                  type: array
                  items:
                    type: object
                    required: [name, pid, state, restarts, uptime_seconds]
                    properties:
                      name: {type: string}
                      pid: {type: integer}
                      state: {type: string, enum: [dead, starting, running, draining, drained]}
                      restarts: {type: integer, minimum: 0}
                      uptime_seconds: {type: integer, minimum: 0}

            SeriesWindow:
              type: object
              required: [name, description, labels, agent_id, pod_name, data]
              properties:
                name: {type: string}
                description: {type: string}
                labels: {$ref: "#/components/schemas/Labels"}
                agent_id: {type: string}
                pod_name: {type: string}
                data:
                  description: In time order
                  type: array
                  items:
                    type: object
                    required: [timestamp, value]
                    properties:
                      timestamp: {$ref: "#/components/schemas/Time"}
                      value:
                        oneOf:
                          - {type: number}
                          - {type: string, enum: ["NaN", "+Inf", "-Inf"]}

            TimeOrNull:
              anyOf: [{$ref: "#/components/schemas/Time"}, {type: "null"}]
            BlackBox:
              type: object
              required: [bytes, incidents, nodes]
              properties:
                bytes: {description: Of the database, type: integer}
                incidents: {type: integer}
                nodes:
                  type: array
                  items:
                    type: object
                    required:
                      [pod_name, agent_id, role, state, gone_at, gone_reason, gone_count, container_names, labels, address,
                       first_seen, last_seen, first_sample, last_sample, series, samples, bytes, incidents]
                    properties:
                      pod_name: {type: string}
                      agent_id: {type: string}
                      role: {type: string}
                      state: {type: string, enum: [live, gone]}
                      gone_at: {$ref: "#/components/schemas/TimeOrNull"}
                      gone_reason: {type: [string, "null"]}
                      gone_count: {description: How often it went, type: integer}
                      container_names: {type: array, items: {type: string}}
                      labels: {$ref: "#/components/schemas/Labels"}
                      address: {description: The agent's end of the connection, type: string}
                      first_seen: {$ref: "#/components/schemas/Time"}
                      last_seen: {$ref: "#/components/schemas/Time"}
                      first_sample: {$ref: "#/components/schemas/TimeOrNull"}
                      last_sample: {$ref: "#/components/schemas/TimeOrNull"}
                      series: {description: Of its newest sample, type: integer}
                      samples: {description: "Values, of all series together", type: integer}
                      bytes: {description: As they are stored, type: integer}
                      incidents: {type: integer}
            RecordedSeries:
              type: object
              required: [name, description, labels, agent_id, pod_name, data]
              properties:
                name: {type: string}
                description: {type: string}
                labels: {$ref: "#/components/schemas/Labels"}
                agent_id: {type: string}
                pod_name: {type: string}
                data:
                  type: array
                  items:
                    type: object
                    required: [timestamp, value]
                    properties:
                      timestamp: {$ref: "#/components/schemas/Time"}
                      value:
                        anyOf:
                          - {type: number}
                          - {type: string, enum: ["NaN", "+Inf", "-Inf"]}
                      bits:
                        description: The bit pattern, in hexadecimal, of a NaN that is not 7ff8000000000001
                        type: string
                        pattern: "^[0-9a-f]{16}$"
            NodeSummary:
              type: object
              required:
                [pod_name, agent_id, role, state, gone_at, gone_reason, first_sample, last_sample, start, end, step_seconds,
                 charts, incidents]
              properties:
                pod_name: {type: string}
                agent_id: {type: string}
                role: {type: string}
                state: {type: string, enum: [live, gone]}
                gone_at: {$ref: "#/components/schemas/TimeOrNull"}
                gone_reason: {type: [string, "null"]}
                first_sample: {$ref: "#/components/schemas/TimeOrNull"}
                last_sample: {$ref: "#/components/schemas/TimeOrNull"}
                start: {$ref: "#/components/schemas/Time"}
                end: {$ref: "#/components/schemas/Time"}
                step_seconds: {type: number}
                charts:
                  type: array
                  items:
                    type: object
                    required: [id, title, unit, lines]
                    properties:
                      id: {type: string}
                      title: {type: string}
                      unit:
                        type: string
                        enum: [bytes, percent, cores, seconds, 1/s, bytes/s, ""]
                      lines:
                        type: array
                        items:
                          type: object
                          required: [name, container_name, points]
                          properties:
                            name: {type: string}
                            container_name: {description: Empty for series without one, type: string}
                            points:
                              description: Unix time in seconds, and the value; in the order of times
                              type: array
                              items: {type: array, items: {type: number}, minItems: 2, maxItems: 2}
                incidents:
                  description: The node's, in that time and the 5 min after it
                  type: array
                  items: {$ref: "#/components/schemas/Incident"}
            IncidentKind:
              type: string
              enum:
                [node-gone, node-restarted, crash, memory-pressure, schema-inconsistent, agent-quarantined, worker-crashed]
            Incidents:
              type: object
              required: [total, incidents]
              properties:
                total: {description: Number of all that match, type: integer}
                incidents:
                  type: array
                  items: {$ref: "#/components/schemas/Incident"}
            Incident:
              type: object
              required:
                [id, kind, subject, pod_name, role, opened_at, last_at, closed_at, count, cause, last_sample]
              properties:
                id: {description: Sorts by time, type: string}
                kind: {$ref: "#/components/schemas/IncidentKind"}
                subject: {description: "The pod, group of schemas or worker", type: string}
                pod_name: {description: Empty for those of no node, type: string}
                role: {type: string}
                opened_at: {$ref: "#/components/schemas/Time"}
                last_at: {description: "When it began, happened again or ended last", $ref: "#/components/schemas/Time"}
                closed_at: {$ref: "#/components/schemas/TimeOrNull"}
                count: {description: How often it happened, type: integer, minimum: 1}
                cause: {type: string}
                last_sample: {$ref: "#/components/schemas/TimeOrNull"}
            IncidentChanges:
              type: object
              required: [from, until, opened_at, pod_names, is_whole, total, changes]
              properties:
                from: {$ref: "#/components/schemas/Time"}
                until: {$ref: "#/components/schemas/Time"}
                opened_at: {$ref: "#/components/schemas/Time"}
                pod_names: {description: Nodes whose answers were compared, type: array, items: {type: string}}
                is_whole: {description: "False: more was stored than one answer compares", type: boolean}
                total: {type: integer}
                changes:
                  description: In the order of their times, the 500 that are nearest to `opened_at`
                  type: array
                  items:
                    type: object
                    required: [at, kind, section, key, before, after, pod_names]
                    properties:
                      at: {$ref: "#/components/schemas/Time"}
                      kind: {type: string, enum: [configuration, topology, schema]}
                      section:
                        type: string
                        enum: [version, startup_params, runtime_config, node, call, group, object, verdict]
                      key: {description: "Such as a flag, a node, `GROUP KIND OBJECT at NODE`", type: string}
                      before: {description: "`null`: it was not there", type: [string, "null"]}
                      after: {description: "`null`: it is not there any more", type: [string, "null"]}
                      pod_names:
                        description: Nodes that have told it; empty for a verdict of the proxy
                        type: array
                        items: {type: string}
            KeptIncident:
              type: object
              required:
                [id, kind, subject, pod_name, role, opened_at, last_at, closed_at, count, cause, last_sample, kept,
                 crash_records, profiles, links]
              properties:
                id: {type: string}
                kind: {$ref: "#/components/schemas/IncidentKind"}
                subject: {type: string}
                pod_name: {type: string}
                role: {type: string}
                opened_at: {$ref: "#/components/schemas/Time"}
                last_at: {$ref: "#/components/schemas/Time"}
                closed_at: {$ref: "#/components/schemas/TimeOrNull"}
                count: {type: integer, minimum: 1}
                cause: {type: string}
                last_sample: {$ref: "#/components/schemas/TimeOrNull"}
                kept:
                  description: Nodes whose samples it keeps, its own first
                  type: array
                  items:
                    type: object
                    required:
                      [pod_name, agent_id, role, state, gone_at, gone_reason, from, until, first_sample, last_sample]
                    properties:
                      pod_name: {type: string}
                      agent_id: {type: string}
                      role: {type: string}
                      state: {type: string, enum: [live, gone]}
                      gone_at: {$ref: "#/components/schemas/TimeOrNull"}
                      gone_reason: {type: [string, "null"]}
                      from: {$ref: "#/components/schemas/Time"}
                      until: {$ref: "#/components/schemas/Time"}
                      first_sample: {$ref: "#/components/schemas/TimeOrNull"}
                      last_sample: {$ref: "#/components/schemas/TimeOrNull"}
                crash_records: {description: "Of the node; `crash.json` of the bundle has them", type: integer}
                profiles:
                  type: array
                  items:
                    type: object
                    required: [profile_id, type, captured_at, size_bytes, stored, href]
                    properties:
                      profile_id: {type: string}
                      type: {type: string}
                      captured_at: {$ref: "#/components/schemas/Time"}
                      size_bytes: {type: [integer, "null"]}
                      stored: {description: "The proxy has the bytes, whether the node is there or not", type: boolean}
                      href: {type: string}
                links:
                  description: Paths of this interface. An incident of no node has the bundle alone
                  type: object
                  required: [bundle]
                  properties:
                    bundle: {type: string}
                    samples: {type: string}
                    summary: {type: string}

            Call:
              type: object
              required: [id, target, source]
              properties:
                id: {type: string, minLength: 1}
                target: {type: string}
                source: {type: string}

            Cluster:
              type: object
              required: [nodes, calls, updated_at]
              properties:
                nodes:
                  type: array
                  items: {$ref: "#/components/schemas/RegisteredAgent"}
                calls:
                  type: array
                  items: {$ref: "#/components/schemas/Call"}
                updated_at: {$ref: "#/components/schemas/Time"}

            RegisteredAgent:
              type: object
              required: [node_id, agent_id, node_role, address, container_names, labels, status, registered_at, last_heartbeat,
                streams, ingest_worker, series]
              properties:
                node_id: {type: string, description: The pod name}
                agent_id: {type: string}
                node_role: {type: string}
                address: {type: string, description: Where it connects from}
                container_names: {type: array, items: {type: string}}
                labels: {$ref: "#/components/schemas/Labels"}
                status: {$ref: "#/components/schemas/AgentStatus"}
                registered_at: {$ref: "#/components/schemas/Time"}
                last_heartbeat: {$ref: "#/components/schemas/Time"}
                streams:
                  description: Open streams
                  type: array
                  items:
                    type: string
                    enum: [registration, metrics, topology, lifecycle, diagnostics, pressure_profiles, schema_registry,
                      configuration]
                ingest_worker: {type: integer, minimum: 0}
                last_sample_at:
                  description: Absent or null before its first metrics
                  oneOf:
                    - {$ref: "#/components/schemas/Time"}
                    - {type: "null"}
                series: {type: integer, minimum: 0, description: Of its newest metrics}

            Topology:
              type: object
              required: [nodes, calls]
              properties:
                nodes:
                  type: array
                  items: {$ref: "#/components/schemas/TopologyNode"}
                calls:
                  type: array
                  items: {$ref: "#/components/schemas/Call"}

            TopologyNode:
              description: Empty fields are left out, except for the roles
              type: object
              required: [metadata, roles]
              dependentRequired: {status: [last_heartbeat], last_heartbeat: [status]}
              properties:
                metadata:
                  type: object
                  required: [name]
                  properties:
                    group: {type: string, minLength: 1}
                    name: {type: string, minLength: 1}
                    id: {type: integer, minimum: 1}
                    create_revision: {type: integer}
                    mod_revision: {type: integer}
                roles:
                  description: "`UNKNOWN_ROLE_7` for a number without a name"
                  type: array
                  items: {type: string, pattern: "^(ROLE_(UNSPECIFIED|META|DATA|LIAISON)|UNKNOWN_ROLE_-?[0-9]+)$"}
                grpc_address: {type: string, minLength: 1}
                http_address: {type: string, minLength: 1}
                created_at:
                  type: object
                  properties:
                    seconds: {type: integer}
                    nanos: {type: integer}
                labels: {$ref: "#/components/schemas/Labels"}
                property_repair_gossip_grpc_address: {type: string, minLength: 1}
                property_schema_grpc_address: {type: string, minLength: 1}
                property_schema_gossip_grpc_address: {type: string, minLength: 1}
                status: {$ref: "#/components/schemas/AgentStatus"}
                last_heartbeat: {$ref: "#/components/schemas/Time"}

            Lifecycle:
              type: object
              required: [groups, lifecycle_statuses, agent_summary]
              properties:
                groups:
                  description: Sorted by name
                  type: array
                  items: {$ref: "#/components/schemas/GroupLifecycle"}
                lifecycle_statuses:
                  description: Reports of the agents that have some
                  type: array
                  items:
                    type: object
                    required: [pod_name, reports]
                    properties:
                      pod_name: {type: string}
                      reports:
                        type: array
                        items:
                          type: object
                          required: [filename, report_json]
                          properties:
                            filename: {type: string}
                            report_json: {type: string}
                agent_summary:
                  type: object
                  required: [total, requested, responded, not_responded]
                  properties:
                    total: {type: integer, minimum: 0}
                    requested: {type: integer, minimum: 0}
                    responded: {type: integer, minimum: 0}
                    not_responded: {type: integer, minimum: 0}
                error:
                  type: string
                  pattern: "^FODC unavailable: "

            GroupLifecycle:
              description: protobuf's JSON mapping with every field present; unset messages are null
              type: object
              required: [name, catalog, resource_opts, data_info, errors, schema_consistency]
              properties:
                name: {type: string}
                catalog: {type: string}
                resource_opts:
                  oneOf:
                    - {$ref: "#/components/schemas/ResourceOpts"}
                    - {type: "null"}
                data_info:
                  type: array
                  items: {$ref: "#/components/schemas/DataInfo"}
                errors:
                  description: Sorted, without duplicates
                  type: array
                  items: {type: string}
                schema_consistency:
                  description: The proxy's verdict; null if no agent sent fingerprints
                  oneOf:
                    - {$ref: "#/components/schemas/SchemaConsistency"}
                    - {type: "null"}

            ResourceOpts:
              type: object
              required: [shard_num, segment_interval, ttl, stages, default_stages, replicas]
              properties:
                shard_num: {type: integer}
                segment_interval: {$ref: "#/components/schemas/IntervalRule"}
                ttl: {$ref: "#/components/schemas/IntervalRule"}
                stages:
                  type: array
                  items:
                    type: object
                    required: [name, shard_num, segment_interval, ttl, node_selector, close, replicas]
                    properties:
                      name: {type: string}
                      shard_num: {type: integer}
                      segment_interval: {$ref: "#/components/schemas/IntervalRule"}
                      ttl: {$ref: "#/components/schemas/IntervalRule"}
                      node_selector: {type: string}
                      close: {type: boolean}
                      replicas: {type: integer}
                default_stages: {type: array, items: {type: string}}
                replicas: {type: integer}

            IntervalRule:
              type: [object, "null"]
              required: [unit, num]
              properties:
                unit:
                  description: A number if the value has no name
                  oneOf:
                    - {type: string, enum: [UNIT_UNSPECIFIED, UNIT_HOUR, UNIT_DAY]}
                    - {type: integer}
                num: {type: integer}

            DataInfo:
              type: object
              required: [node, segment_info, data_size_bytes]
              properties:
                node:
                  type: [object, "null"]
                  required: [metadata, roles, grpc_address, http_address, created_at, labels,
                    property_repair_gossip_grpc_address, property_schema_grpc_address, property_schema_gossip_grpc_address]
                  properties:
                    metadata:
                      type: [object, "null"]
                      required: [group, name, id, create_revision, mod_revision]
                      properties:
                        group: {type: string}
                        name: {type: string}
                        id: {type: integer}
                        create_revision: {$ref: "#/components/schemas/Integer64Text"}
                        mod_revision: {$ref: "#/components/schemas/Integer64Text"}
                    roles:
                      description: A number if the value has no name
                      type: array
                      items:
                        oneOf:
                          - {type: string, enum: [ROLE_UNSPECIFIED, ROLE_META, ROLE_DATA, ROLE_LIAISON]}
                          - {type: integer}
                    grpc_address: {type: string}
                    http_address: {type: string}
                    created_at: {type: [string, "null"], format: date-time}
                    labels: {$ref: "#/components/schemas/Labels"}
                    property_repair_gossip_grpc_address: {type: string}
                    property_schema_grpc_address: {type: string}
                    property_schema_gossip_grpc_address: {type: string}
                segment_info:
                  type: array
                  items:
                    type: object
                    required: [segment_id, time_range_start, time_range_end, shard_info, series_index_info]
                    properties:
                      segment_id: {type: string}
                      time_range_start: {type: string}
                      time_range_end: {type: string}
                      shard_info:
                        type: array
                        items:
                          type: object
                          required: [shard_id, data_count, data_size_bytes, part_count, inverted_index_info, sidx_info,
                            file_part_count]
                          properties:
                            shard_id: {type: integer}
                            data_count: {$ref: "#/components/schemas/Integer64Text"}
                            data_size_bytes: {$ref: "#/components/schemas/Integer64Text"}
                            part_count: {$ref: "#/components/schemas/Integer64Text"}
                            inverted_index_info: {$ref: "#/components/schemas/IndexInfo"}
                            sidx_info:
                              type: [object, "null"]
                              required: [data_count, data_size_bytes, part_count]
                              properties:
                                data_count: {$ref: "#/components/schemas/Integer64Text"}
                                data_size_bytes: {$ref: "#/components/schemas/Integer64Text"}
                                part_count: {$ref: "#/components/schemas/Integer64Text"}
                            file_part_count: {$ref: "#/components/schemas/Integer64Text"}
                      series_index_info: {$ref: "#/components/schemas/IndexInfo"}
                data_size_bytes: {$ref: "#/components/schemas/Integer64Text"}

            IndexInfo:
              type: [object, "null"]
              required: [data_count, data_size_bytes]
              properties:
                data_count: {$ref: "#/components/schemas/Integer64Text"}
                data_size_bytes: {$ref: "#/components/schemas/Integer64Text"}

            SchemaConsistency:
              type: object
              required: [status, objects, issues]
              properties:
                status:
                  type: string
                  enum: [CONSISTENCY_STATUS_CONSISTENT, CONSISTENCY_STATUS_INCONSISTENT, CONSISTENCY_STATUS_UNKNOWN]
                objects:
                  description: Sorted by kind and name
                  type: array
                  items:
                    type: object
                    required: [kind, name, registry_fingerprint, node_fingerprints]
                    properties:
                      kind: {type: string}
                      name: {type: string}
                      registry_fingerprint: {$ref: "#/components/schemas/Integer64Text"}
                      node_fingerprints:
                        type: array
                        items:
                          type: object
                          required: [node, cache_fingerprint, runtime_fingerprint]
                          properties:
                            node: {type: string}
                            cache_fingerprint: {$ref: "#/components/schemas/Integer64Text"}
                            runtime_fingerprint: {$ref: "#/components/schemas/Integer64Text"}
                issues:
                  description: Issues seen in two collections in a row, sorted by kind, name and node
                  type: array
                  items:
                    type: object
                    required: [kind, name, node, type]
                    properties:
                      kind: {type: string}
                      name: {type: string}
                      node: {type: string}
                      type:
                        type: string
                        enum: [SCHEMA_ISSUE_TYPE_MISSING_IN_CACHE, SCHEMA_ISSUE_TYPE_ORPHAN, SCHEMA_ISSUE_TYPE_CACHE_STALE,
                          SCHEMA_ISSUE_TYPE_RUNTIME_NOT_APPLIED]

            Configurations:
              type: object
              required: [configurations, differences, not_supported]
              properties:
                configurations:
                  type: array
                  items:
                    type: object
                    required: [agent_id, pod_name, node_role, version, startup_params, runtime_config, collected_at]
                    properties:
                      agent_id: {type: string}
                      pod_name: {type: string}
                      node_role: {type: string}
                      version: {type: string}
                      startup_params: {$ref: "#/components/schemas/Labels"}
                      runtime_config: {$ref: "#/components/schemas/Labels"}
                      collected_at:
                        description: null if the agent does not send it
                        oneOf:
                          - {$ref: "#/components/schemas/Time"}
                          - {type: "null"}
                differences:
                  description: Keys whose value is not the same on all nodes of a role
                  type: array
                  items:
                    type: object
                    required: [node_role, section, key, values]
                    properties:
                      node_role: {type: string}
                      section: {type: string, enum: [startup_params, runtime_config]}
                      key: {type: string}
                      values:
                        type: array
                        minItems: 2
                        items:
                          type: object
                          required: [value, pod_names]
                          properties:
                            value:
                              description: null where the key is absent
                              type: [string, "null"]
                            pod_names:
                              type: array
                              minItems: 1
                              items: {type: string}
                not_supported:
                  description: Pods whose agents have no configuration stream
                  type: array
                  items: {type: string}

            CrashRecord:
              type: object
              required: [fetched_at, agent_id, pod_name, role, source_endpoint, artifact_dir]
              properties:
                fetched_at: {$ref: "#/components/schemas/Time"}
                agent_id: {type: string}
                pod_name: {type: string}
                role: {type: string}
                source_endpoint: {type: string}
                artifact_dir: {type: string}
                files: {type: array, minItems: 1, items: {type: string}}
                panic_record:
                  type: object
                  required: [occurred_at, component, panic_value, recovered]
                  properties:
                    occurred_at: {$ref: "#/components/schemas/Time"}
                    component: {type: string}
                    panic_value: {type: string}
                    recovered: {type: boolean}
                    goroutine_stack: {type: string, minLength: 1}
                    process_metadata: {$ref: "#/components/schemas/Labels"}
                    breadcrumbs:
                      type: array
                      minItems: 1
                      items:
                        type: object
                        required: [occurred_at, stage]
                        properties:
                          occurred_at: {$ref: "#/components/schemas/Time"}
                          stage: {type: string}
                          component: {type: string}
                          fields: {$ref: "#/components/schemas/Labels"}

            ProfileTree:
              type: object
              description: The tree of calls as columns; node 0 is the root, a node comes after its caller
              required: [pod_name, profile_id, base_profile_id, kind, sample_types, sample_type, unit, total, base_total,
                omitted_nodes, names, nodes]
              properties:
                pod_name: {type: string}
                profile_id: {type: string}
                base_profile_id: {type: [string, "null"], description: Of the capture that it is compared with}
                kind: {type: string, enum: [heap, goroutine]}
                sample_types:
                  type: array
                  items:
                    type: object
                    required: [name, unit]
                    properties:
                      name: {type: string}
                      unit: {type: string}
                sample_type: {type: string, description: The kind of values of this answer}
                unit: {type: string}
                total: {type: integer}
                base_total: {type: [integer, "null"]}
                omitted_nodes: {type: integer, minimum: 0, description: Too narrow to be seen}
                names: {type: array, items: {type: string}, description: Functions; nodes name them by their index}
                nodes:
                  type: object
                  required: [parent, name, own, total]
                  properties:
                    parent: {type: array, items: {type: integer, minimum: -1}}
                    name: {type: array, items: {type: integer, minimum: 0}}
                    own: {type: array, items: {type: integer}, description: Of samples that end here}
                    total: {type: array, items: {type: integer}, description: Of samples that come by}
                    base_own: {type: array, items: {type: integer}}
                    base_total: {type: array, items: {type: integer}}

            SpeedscopeFile:
              type: object
              description: https://github.com/jlfwong/speedscope/wiki/Importing-from-custom-sources
              required: [$schema, exporter, name, activeProfileIndex, shared, profiles]
              properties:
                $schema: {type: string, const: "https://www.speedscope.app/file-format-schema.json"}
                exporter: {type: string}
                name: {type: string}
                activeProfileIndex: {type: integer}
                shared:
                  type: object
                  required: [frames]
                  properties:
                    frames:
                      type: array
                      items:
                        type: object
                        required: [name]
                        properties:
                          name: {type: string}
                          file: {type: string}
                profiles:
                  type: array
                  minItems: 1
                  items:
                    type: object
                    required: [type, name, unit, startValue, endValue, samples, weights]
                    properties:
                      type: {type: string, const: sampled}
                      name: {type: string}
                      unit: {type: string, enum: [none, nanoseconds, microseconds, milliseconds, seconds, bytes]}
                      startValue: {type: integer}
                      endValue: {type: integer}
                      samples: {type: array, items: {type: array, items: {type: integer, minimum: 0}}}
                      weights: {type: array, items: {type: integer, minimum: 1}}

            PressureProfile:
              type: object
              required: [captured_at, agent_id, pod_name, role, profile_id, source_endpoint, profiles, rss_bytes,
                cgroup_limit_bytes, threshold_bytes, trigger_percent]
              properties:
                captured_at: {$ref: "#/components/schemas/Time"}
                agent_id: {type: string}
                pod_name: {type: string}
                role: {type: string}
                profile_id: {type: string, minLength: 1}
                source_endpoint: {type: string}
                profiles:
                  type: array
                  items:
                    type: object
                    required: [type, filename, filepath, format, size_bytes]
                    properties:
                      type: {type: string, description: "`heap` and `goroutine` can be downloaded"}
                      filename: {type: string}
                      filepath: {type: string}
                      format: {type: string}
                      size_bytes: {type: integer}
                rss_bytes: {type: integer, minimum: 0}
                cgroup_limit_bytes: {type: integer, minimum: 0}
                threshold_bytes: {type: integer, minimum: 0}
                trigger_percent: {type: integer, minimum: 0}
                stored: {description: There when the agent is gone and the proxy has the bytes, type: boolean, const: true}

        """##
}
