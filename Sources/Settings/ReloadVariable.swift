// SPDX-License-Identifier: Apache-2.0

/// The variable with which `fodc-proxy ctl reload` says that systemd has run it for the unit's `ExecReload=`: its value is
/// the main process that systemd names (`$MAINPID`). It travels among the `FODC_…` variables of the request, because a
/// supervisor of version 0.1.0 refuses a field that it does not know.
public enum ReloadVariable {
    public static let name = "FODC_RELOAD_BY"
}
