// SPDX-License-Identifier: Apache-2.0

/// The version of this build: in `--version`, `/health` and `fodc_proxy_build_info`.
public enum ProxyVersion {
    public static let current = "0.1.0"
}
