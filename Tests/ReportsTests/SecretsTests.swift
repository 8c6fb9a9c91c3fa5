// SPDX-License-Identifier: Apache-2.0
import Testing

@testable import Reports

@Suite struct SecretsTests {
    @Test(arguments: [
        "password", "DB_PASSWORD", "db.passwd", "pwd", "userPwd", "ssl-passphrase", "aws_access_key_id", "AccessKey",
        "basic-auth", "auth", "Authorization", "private_key", "privateKeyFile", "session-cookie", "dsn", "DATABASE_DSN",
        "connectionString", "api.token", "clientSecret", "aws_credentials", "jwt", "signing-key", "redis_pass",
        "smtpPass",
        "sas", "PRIVATE KEY", "AZURE_STORAGE_ACCOUNT_KEY",
    ])
    func secrets_areFoundByKey(key: String) {
        #expect(Secrets.shown("value", key: key) == Secrets.mask)
    }

    @Test(arguments: [
        "max-agents", "bypass-cache", "passive-mode", "key-file", "grpc-addr", "compass", "signal", "ttl", "", "pas",
        "\u{1F511}",
    ])
    func secrets_areNotFoundInOtherKeys(key: String) {
        #expect(Secrets.shown("value", key: key) == "value")
    }

    @Test(arguments: [
        "http://user:hunter@host:2379", "https://token@host/path", "a,postgres://u:p@db/x?sslmode=off,b",
        "postgres://u:p/w#d@db/x", "user:hunter@tcp(127.0.0.1:3306)/db", "host=db user=u password=hunter",
        "Server=db;User Id=u;Pwd = hunter;", "jdbc:mysql://db/x?user=u&password=hunter",
        "https://h/p?access_token=hunter",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=aHVudGVy",
        "-----BEGIN PRIVATE KEY-----\nMII\n-----END",
        "x\\n-----BEGIN CERTIFICATE-----", "Bearer abc.def", "bearer  abc", "Basic dTpw", "Authorization: Basic dTpw",
        "{\"password\": \"hunter\"}", "{\"a\":1,\"clientSecret\":\"x\"}", "eyJhbGciOiJI.eyJzdWIi.c2ln",
        "server --password hunter",
        "run --db.token=hunter", "amqp://guest:guest@mq", "redis://:hunter@cache:6379/0",
        "http_proxy=http://u:p@proxy:3128",
    ])
    func secrets_areFoundInValues(value: String) {
        #expect(Secrets.shown(value, key: "plain") == Secrets.mask)
    }

    @Test(arguments: [
        "", "true", "17912", ":17912", "[::1]:17912", "10.0.0.1:2379,10.0.0.2:2379", "http://host:2379/path?x=1",
        "ops@example.com", "/etc/banyandb/tls.key", "1h30m", "{\"ttl\": \"7d\"}", "type=hot,zone=a", "a: b", "=", ":",
        "@", "://@",
        "basic", "bearer", "e30.e30.x", "--verbose on", "2026-01-29T07:17:28Z", "grpc://host", "ä=ö",
    ])
    func secrets_areNotFoundInOtherValues(value: String) {
        #expect(Secrets.shown(value, key: "plain") == value)
    }

    /// A value of the largest message takes no more than a look at each byte.
    @Test(arguments: ["a=", "a ", "::", "@:", "-a b ", "://"])
    func secrets_areFoundInLongValuesInLinearTime(unit: String) {
        let long = String(repeating: unit, count: 200_000)
        _ = Secrets.shown(long, key: long)
    }
}
