// SPDX-License-Identifier: Apache-2.0

import FODCProtocol

/// A liaison's reading of the registry: several messages for a group, and a last one that says so.
enum RegistryAnswer {
    static let groupError = "schema registry: context deadline exceeded"
    static let fatalError = "schema registry: connection refused"
    /// Small, so that groups come in several messages, as large ones of real databases do.
    static let objectsPerMessage = 3

    /// - Parameter isFatal: nothing can be read.
    static func messages(
        _ catalogue: SchemaCatalogue, unreadableGroups: Set<String>, isFatal: Bool
    ) -> [Banyandb_Fodc_V1_StreamSchemaRegistryRequest] {
        var messages: [Banyandb_Fodc_V1_StreamSchemaRegistryRequest] = []
        if isFatal {
            messages.append(failure(of: "", fatalError))
        } else {
            for group in catalogue.groups {
                if unreadableGroups.contains(group.name) {
                    messages.append(failure(of: group.name, groupError))
                } else {
                    messages += parts(of: group, catalogue)
                }
            }
        }
        var end = Banyandb_Fodc_V1_StreamSchemaRegistryRequest()
        end.done = true
        return messages + [end]
    }

    private static func failure(of group: String, _ error: String) -> Banyandb_Fodc_V1_StreamSchemaRegistryRequest {
        var message = Banyandb_Fodc_V1_StreamSchemaRegistryRequest()
        message.group.group = group
        message.group.error = error
        return message
    }

    private static func parts(
        of group: SchemaGroup, _ catalogue: SchemaCatalogue
    ) -> [Banyandb_Fodc_V1_StreamSchemaRegistryRequest] {
        stride(from: 0, to: group.objects.count, by: objectsPerMessage).map { first in
            var message = Banyandb_Fodc_V1_StreamSchemaRegistryRequest()
            message.group.group = group.name
            message.group.objects = group.objects[first...].prefix(objectsPerMessage).map { object in
                var fingerprint = Banyandb_Fodc_V1_SchemaObjectFingerprint()
                fingerprint.kind = object.kind
                fingerprint.name = object.name
                fingerprint.fingerprint = catalogue.fingerprint(of: object, in: group)
                return fingerprint
            }
            return message
        }
    }
}
