// Tabs and the start.
"use strict";

function show(tab) {
  for (const name of ["try", "overview"]) {
    $(name).hidden = name !== tab;
    $(`tab-${name}`).setAttribute("aria-selected", String(name === tab));
  }
  refreshOverview().catch(fail);
}

$("tab-try").onclick = () => { location.hash = ""; };
$("tab-overview").onclick = () => { location.hash = "overview"; };
addEventListener("hashchange", () => show(location.hash === "#overview" ? "overview" : "try"));
addEventListener("error", (event) => { document.body.dataset.error = event.message; });
addEventListener("unhandledrejection", (event) => { document.body.dataset.error = String(event.reason); });

show(location.hash === "#overview" ? "overview" : "try");
startRecommendations().catch(fail);
setInterval(() => { if (!$("overview").hidden) refreshOverview().catch(fail); }, 2000);
