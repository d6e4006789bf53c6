// Keeps a page true: what changed is fetched again, and a hub that is heard no more is said to be.
"use strict";
(() => {
  const PATIENCE_MS = 10_000;
  const { body } = document;
  const lost = document.getElementById("lost");
  let known = body.dataset.revision;
  let heard = Date.now();

  const digits = (text) =>
    document.documentElement.lang === "ar" ? text.replace(/\d/g, (digit) => "٠١٢٣٤٥٦٧٨٩"[digit]) : text;

  const two = (number) => String(number).padStart(2, "0");

  const clock = (seconds) => {
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    return digits(`${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`);
  };

  const hear = () => {
    heard = Date.now();
    body.classList.remove("lost");
    lost.hidden = true;
  };

  const miss = () => {
    if (body.classList.contains("lost")) return;
    const at = new Date(heard);
    lost.textContent = lost.dataset.text.replace("{time}", digits(`${two(at.getHours())}:${two(at.getMinutes())}`));
    lost.hidden = false;
    body.classList.add("lost");
  };

  const refresh = async () => {
    const answer = await fetch(location.href, {
      headers: { accept: "text/html" },
      signal: AbortSignal.timeout(PATIENCE_MS / 2),
    });
    hear();
    // The sign-in has ended: nothing old stays on the screen.
    if (new URL(answer.url).pathname === "/sign-in") return location.assign(answer.url);
    if (!answer.ok) return;
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    known = fresh.body.dataset.revision ?? known;
    for (const part of document.querySelectorAll("[data-live]")) {
      const next = fresh.getElementById(part.id);
      // Whoever types or has opened something there is not disturbed.
      if (!next || part.contains(document.activeElement) || part.querySelector("details[open]")) continue;
      if (next.outerHTML !== part.outerHTML) part.replaceWith(next);
    }
  };

  const listen = () => {
    const events = new EventSource("/events");
    events.addEventListener("there", hear);
    events.onmessage = (event) => {
      const was = body.classList.contains("lost");
      hear();
      if (event.data === known && !was) return;
      known = event.data;
      refresh().catch(() => {});
    };
  };

  document.querySelector(".menu [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });

  if (document.querySelector("[data-live]")) {
    if ("EventSource" in window) listen();
    setInterval(() => {
      const silent = Date.now() - heard;
      if (silent >= PATIENCE_MS) miss();
      // No event for long: all places to follow from are taken, or nobody is there.
      // What is under way on this machine makes no event.
      const isAwaited = document.querySelector('[data-live="soon"]');
      if (silent >= PATIENCE_MS / 2 || isAwaited) refresh().catch(() => {});
    }, PATIENCE_MS / 4);
  }

  setInterval(() => {
    for (const timer of document.querySelectorAll("[data-left]")) {
      const left = Math.max(0, Number(timer.dataset.left) - 1);
      timer.dataset.left = left;
      timer.textContent = clock(left);
      if (left === 0) refresh().catch(() => {});
    }
  }, 1000);
})();
