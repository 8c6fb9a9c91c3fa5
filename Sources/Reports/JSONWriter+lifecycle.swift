// SPDX-License-Identifier: Apache-2.0
import Calendar
import FODCProtocol
import JSONWriting

/// Protobuf's JSON mapping with every field present, as clients of the Go proxy rely on it: messages that are unset are
/// `null`, 64-bit integers are texts, times have none, three, six or nine digits of a second's fraction. Members have the names
/// of the `.proto` file and come in the order of their numbers.
extension JSONWriter {
    mutating func group(_ group: Banyandb_Fodc_V1_GroupLifecycleInfo) {
        object { json in
            json.member("name", group.name)
            json.member("catalog", group.catalog)
            json.member("resource_opts", optional: group.hasResourceOpts ? group.resourceOpts : nil) { $0.options($1) }
            json.member("data_info", list: group.dataInfo) { $0.dataInfo($1) }
            json.member("errors", group.errors)
            json.member("schema_consistency", optional: group.hasSchemaConsistency ? group.schemaConsistency : nil) {
                $0.consistency($1)
            }
        }
    }

    mutating func report(_ report: Banyandb_Fodc_V1_LifecycleReport) {
        object { json in
            json.member("filename", report.filename)
            json.member("report_json", report.reportJson)
        }
    }

    // MARK: How a group is stored

    private mutating func options(_ options: Banyandb_Common_V1_ResourceOpts) {
        object { json in
            json.member("shard_num", options.shardNum)
            json.interval("segment_interval", options.hasSegmentInterval ? options.segmentInterval : nil)
            json.interval("ttl", options.hasTtl ? options.ttl : nil)
            json.member("stages", list: options.stages) { $0.stage($1) }
            json.member("default_stages", options.defaultStages)
            json.member("replicas", options.replicas)
        }
    }

    private mutating func stage(_ stage: Banyandb_Common_V1_LifecycleStage) {
        object { json in
            json.member("name", stage.name)
            json.member("shard_num", stage.shardNum)
            json.interval("segment_interval", stage.hasSegmentInterval ? stage.segmentInterval : nil)
            json.interval("ttl", stage.hasTtl ? stage.ttl : nil)
            json.member("node_selector", stage.nodeSelector)
            json.member("close", stage.close)
            json.member("replicas", stage.replicas)
        }
    }

    private mutating func interval(_ name: StaticString, _ rule: Banyandb_Common_V1_IntervalRule?) {
        member(name, optional: rule) { json, rule in
            json.object {
                $0.member("unit") { $0.name(rule.unit.protoName, orNumber: rule.unit.rawValue) }
                $0.member("num", rule.num)
            }
        }
    }

    // MARK: What a node holds

    private mutating func dataInfo(_ info: Banyandb_Database_V1_DataInfo) {
        object { json in
            json.member("node", optional: info.hasNode ? info.node : nil) { $0.node($1) }
            json.member("segment_info", list: info.segmentInfo) { $0.segment($1) }
            json.wideMember("data_size_bytes", info.dataSizeBytes)
        }
    }

    private mutating func node(_ node: Banyandb_Database_V1_Node) {
        object { json in
            json.member("metadata", optional: node.hasMetadata ? node.metadata : nil) { json, metadata in
                json.object {
                    $0.member("group", metadata.group)
                    $0.member("name", metadata.name)
                    $0.member("id", metadata.id)
                    $0.wideMember("create_revision", metadata.createRevision)
                    $0.wideMember("mod_revision", metadata.modRevision)
                }
            }
            json.member("roles", list: node.roles) { $0.name($1.protoName, orNumber: $1.rawValue) }
            json.member("grpc_address", node.grpcAddress)
            json.member("http_address", node.httpAddress)
            json.member("created_at", optional: node.hasCreatedAt ? node.createdAt : nil) {
                $0.time(EpochTime($1), fraction: .groupsOfThree)
            }
            json.member("labels", node.labels)
            json.member("property_repair_gossip_grpc_address", node.propertyRepairGossipGrpcAddress)
            json.member("property_schema_grpc_address", node.propertySchemaGrpcAddress)
            json.member("property_schema_gossip_grpc_address", node.propertySchemaGossipGrpcAddress)
        }
    }

    private mutating func segment(_ segment: Banyandb_Database_V1_SegmentInfo) {
        object { json in
            json.member("segment_id", segment.segmentID)
            json.member("time_range_start", segment.timeRangeStart)
            json.member("time_range_end", segment.timeRangeEnd)
            json.member("shard_info", list: segment.shardInfo) { $0.shard($1) }
            json.member("series_index_info", optional: segment.hasSeriesIndexInfo ? segment.seriesIndexInfo : nil) {
                $0.index(dataCount: $1.dataCount, dataSizeBytes: $1.dataSizeBytes)
            }
        }
    }

    private mutating func shard(_ shard: Banyandb_Database_V1_ShardInfo) {
        object { json in
            json.member("shard_id", shard.shardID)
            json.wideMember("data_count", shard.dataCount)
            json.wideMember("data_size_bytes", shard.dataSizeBytes)
            json.wideMember("part_count", shard.partCount)
            json.member("inverted_index_info", optional: shard.hasInvertedIndexInfo ? shard.invertedIndexInfo : nil) {
                $0.index(dataCount: $1.dataCount, dataSizeBytes: $1.dataSizeBytes)
            }
            json.member("sidx_info", optional: shard.hasSidxInfo ? shard.sidxInfo : nil) {
                $0.index(dataCount: $1.dataCount, dataSizeBytes: $1.dataSizeBytes, partCount: $1.partCount)
            }
            json.wideMember("file_part_count", shard.filePartCount)
        }
    }

    private mutating func index(dataCount: Int64, dataSizeBytes: Int64, partCount: Int64? = nil) {
        object { json in
            json.wideMember("data_count", dataCount)
            json.wideMember("data_size_bytes", dataSizeBytes)
            if let partCount { json.wideMember("part_count", partCount) }
        }
    }

    // MARK: The verdict on its schema

    private mutating func consistency(_ consistency: Banyandb_Fodc_V1_SchemaConsistency) {
        object { json in
            json.member("status") { $0.name(consistency.status.protoName, orNumber: consistency.status.rawValue) }
            json.member("objects", list: consistency.objects) { json, object in
                json.object {
                    $0.member("kind", object.kind)
                    $0.member("name", object.name)
                    $0.wideMember("registry_fingerprint", object.registryFingerprint)
                    $0.member("node_fingerprints", list: object.nodeFingerprints) { $0.fingerprint($1) }
                }
            }
            json.member("issues", list: consistency.issues) { $0.issue($1) }
        }
    }

    private mutating func fingerprint(_ fingerprint: Banyandb_Fodc_V1_NodeFingerprint) {
        object { json in
            json.member("node", fingerprint.node)
            json.wideMember("cache_fingerprint", fingerprint.cacheFingerprint)
            json.wideMember("runtime_fingerprint", fingerprint.runtimeFingerprint)
        }
    }

    private mutating func issue(_ issue: Banyandb_Fodc_V1_SchemaIssue) {
        object { json in
            json.member("kind", issue.kind)
            json.member("name", issue.name)
            json.member("node", issue.node)
            json.member("type") { $0.name(issue.type.protoName, orNumber: issue.type.rawValue) }
        }
    }

    // MARK: Values

    /// A 64-bit integer as a text, because numbers in JSON do not hold it exactly.
    private mutating func wideMember(_ name: StaticString, _ value: some BinaryInteger) {
        member(name) { $0.quotedNumber(value) }
    }

    private mutating func name(_ name: StaticString?, orNumber number: Int) {
        if let name { string(name) } else { self.number(number) }
    }
}
