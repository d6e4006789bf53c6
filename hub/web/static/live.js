// Keeps a page fresh: when the hub says that something changed, the parts marked data-live are fetched again.
"use strict";
(() => {
  const seen = document.body.dataset.revision;
  let known = seen;

  const digits = (text) =>
    document.documentElement.lang === "ar" ? text.replace(/\d/g, (digit) => "٠١٢٣٤٥٦٧٨٩"[digit]) : text;

  const refresh = async () => {
    const answer = await fetch(location.href, { headers: { accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = fresh.getElementById(part.id);
      // Whoever types or has opened something there is not disturbed.
      if (!next || part.contains(document.activeElement) || part.querySelector("details[open]")) continue;
      if (next.outerHTML !== part.outerHTML) part.replaceWith(next);
    }
  };

  if (document.querySelector("[data-live]") && "EventSource" in window) {
    const events = new EventSource("/events");
    events.onmessage = (event) => {
      if (event.data === known) return;
      known = event.data;
      refresh().catch(() => {});
    };
  }

  setInterval(() => {
    for (const clock of document.querySelectorAll("[data-left]")) {
      const left = Math.max(0, Number(clock.dataset.left) - 1);
      clock.dataset.left = left;
      clock.textContent = digits(`${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`);
      if (left === 0) refresh().catch(() => {});
    }
  }, 1000);
})();
