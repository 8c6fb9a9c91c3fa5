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
          - {name: proxy, description: The proxy itself}

        paths:
          /:
            get:
              tags: [proxy]
              operationId: getHome
              summary: The endpoints, for people
              description: A page when `Accept` names `text/html` and does not prefer `text/plain`, otherwise text.
              responses:
                "200":
                  description: The list
                  content:
                    text/html: {schema: {type: string}}
                    text/plain: {schema: {type: string}}
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
              responses:
                "200":
                  description: One element per agent and artifact folder
                  content:
                    application/json:
                      schema:
                        type: array
                        items: {$ref: "#/components/schemas/CrashRecord"}
                "400": {$ref: "#/components/responses/BadRequest"}
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
              description: Waits 10 s for agents at most. Filters ignore case.
              parameters:
                - $ref: "#/components/parameters/Role"
                - $ref: "#/components/parameters/PodName"
              responses:
                "200":
                  description: One element per capture
                  headers:
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
              summary: The bytes of a profile, for pprof
              description: |
                Streamed as the agent sends it. If the agent fails midway the connection is cut: the chunked body lacks its end.
                One download at a time per agent; others wait. A client that reads nothing for 30 s is cut off.
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
              responses:
                "200":
                  description: pprof
                  headers:
                    Content-Disposition:
                      required: true
                      description: attachment; filename="POD-ROLE-PROFILE-TYPE.pprof"
                      schema: {type: string}
                  content:
                    application/octet-stream: {}
                "400":
                  description: The type is neither `heap` nor `goroutine`, or the request is malformed
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "404":
                  description: No such pod, profile or type, or the agent no longer has it; the text has the agent's reason
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
                    Slow clients' downloads fill `--spool-max-size`, too many downloads wait, or the agent has not answered
                    whether it has the profile
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}
                "504":
                  description: The agent sent nothing for 30 s
                  content:
                    text/plain: {schema: {$ref: "#/components/schemas/ErrorText"}}

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

          headers:
            AgentsLeftOut:
              description: >-
                Number of connected agents that have not answered in time and are left out because nothing is known of them.
                Absent if empty
              schema: {type: integer, minimum: 1}

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
              description: The token is known, and not for this path
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

        """##
}
