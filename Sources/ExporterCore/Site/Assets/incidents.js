// SPDX-License-Identifier: Apache-2.0
// The list of incidents, which the server has made, kept up to date.
import * as box from "./blackbox.js";
import { byID, el, get, live, part } from "./common.js";
import { incidentList } from "./parts.js";

live(() => part(byID("content"), async () => {
  const { recording } = await get("../fleet?limit=1");
  const incidents = recording ? await box.incidents({ limit: 200 }) : null;
  return incidents === null
    ? el("p", { class: "soft" }, "Nothing is recorded: --record-interval is 0, or the service has no folder for the black box.")
    : incidentList(incidents);
}));
