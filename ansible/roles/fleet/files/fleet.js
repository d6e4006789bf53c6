// The fleet in one table, the worst first. It reads VictoriaMetrics' query API and stores nothing.
"use strict";

const ROWS_MAX = 500;
const LEVELS = ["safe", "waiting", "attention", "alarm"];
const newest = (series) => `last_over_time(hikma_hub_${series}[60d])`;
const QUERIES = {
  seen: "max by (hub) (tlast_over_time(hikma_hub_up[60d]))",
  level: `max by (hub) (${newest("level")})`,
  state: `${newest("state")} == 1`,
  waiting: `max by (hub) (${newest("waiting_records")})`,
  oldest: `max by (hub) (${newest("waiting_seconds")})`,
  copies: `max by (hub) (${newest("copies")})`,
  check: `sum by (hub) (${newest("quarantined_records")})`,
  phones: `max by (hub) (${newest("phones")})`,
  refused: `sum by (hub) (${newest("phones_refused")})`,
  free: `max by (hub) (${newest("free_bytes")}) / max by (hub) (${newest("disk_bytes")})`,
  version: `${newest("info")} == 1`,
};

async function ask(path, body) {
  const answer = await fetch(path, body ? { method: "POST", body: new URLSearchParams(body) } : {});
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return (await answer.json()).data;
}

async function load() {
  const hubs = new Map();
  const of = (name) => hubs.get(name) ?? hubs.set(name, { hub: name, alerts: [] }).get(name);
  await Promise.all(Object.entries(QUERIES).map(async ([what, query]) => {
    for (const { metric, value } of (await ask("api/v1/query", { query })).result) {
      const words = { state: metric.state, version: metric.version };
      of(metric.hub)[what] = words[what] ?? Number(value[1]);
    }
  }));
  for (const alert of (await ask("alerts")).alerts ?? []) {
    if (alert.state === "firing") of(alert.labels.hub).alerts.push(alert.name);
  }
  return [...hubs.values()].sort((a, b) => badness(b) - badness(a) || a.hub.localeCompare(b.hub));
}

const silentFor = (hub) => Date.now() / 1000 - (hub.seen ?? 0);
const badness = (hub) => hub.alerts.length * 10 + (hub.level ?? 0);
const days = (seconds) => seconds === undefined ? "" : seconds < 7200 ? `${Math.round(seconds / 60)} min`
  : seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;

function row(hub) {
  const line = document.createElement("tr");
  line.className = silentFor(hub) > 3 * 86400 ? "silent" : LEVELS[hub.level] ?? "";
  const cells = [hub.hub, hub.alerts.join(", "), hub.state, `${days(silentFor(hub))} ago`, hub.waiting, days(hub.oldest),
    hub.copies, hub.check, hub.phones, hub.refused, hub.free === undefined ? "" : `${Math.round(hub.free * 100)} %`,
    hub.version];
  for (const text of cells) line.append(Object.assign(document.createElement("td"), { textContent: text ?? "" }));
  return line;
}

function show(hubs) {
  const wanted = document.getElementById("search").value.toLowerCase();
  const found = hubs.filter((hub) => hub.hub.toLowerCase().includes(wanted));
  document.getElementById("hubs").replaceChildren(...found.slice(0, ROWS_MAX).map(row));
  const bad = hubs.filter((hub) => hub.alerts.length).length;
  document.getElementById("summary").textContent = `${hubs.length} hubs, ${bad} need somebody`
    + (found.length > ROWS_MAX ? `; the worst ${ROWS_MAX} of ${found.length} are shown` : "");
}

async function refresh() {
  try {
    const hubs = await load();
    document.getElementById("search").oninput = () => show(hubs);
    show(hubs);
  } catch (error) {
    document.getElementById("summary").textContent = `The figures cannot be read (${error.message}).`;
  }
}

refresh();
setInterval(refresh, 300_000);
