// Keeps the order on an open page as it is: when told of a newer version, fetches the page and puts its order in
// the place of the old one. Never while a form is being filled in; without this nothing is lost but the reload.
(() => {
  "use strict";
  const place = () => document.getElementById("live");
  const first = place();
  if (!first || !first.dataset.live || !window.EventSource) return;
  const heard = document.getElementById("heard");
  let wanted = Number(first.dataset.version);
  let source = null;
  let fetching = false;

  const shown = () => Number(place().dataset.version);

  const isFilling = () => {
    const focused = document.activeElement;
    if (focused && place().contains(focused) && focused.matches("input, textarea, select")) return true;
    return [...place().querySelectorAll("input")].some(
      (field) => (field.type === "radio" && field.checked) || (field.type === "text" && field.value),
    ) || Boolean(place().querySelector(".reasons:target"));
  };

  const address = () => {
    const url = new URL(location.href);
    url.searchParams.delete("answered");
    url.hash = "";
    return url;
  };

  const nameOf = (element) => {
    if (!element || !place().contains(element)) return "";
    if (element.id) return `#${CSS.escape(element.id)}`;
    const form = element.closest("form");
    return form ? `form[action="${CSS.escape(form.getAttribute("action"))}"] ${element.localName}` : "";
  };

  const swap = (page) => {
    const fresh = page.getElementById("live");
    if (!fresh) return location.reload();
    const focused = nameOf(document.activeElement);
    const open = [...place().querySelectorAll("details")].map((part) => part.open);
    const { scrollX, scrollY } = window;
    place().replaceWith(document.adoptNode(fresh));
    document.title = page.title;
    document.body.className = page.body.className;
    place().querySelectorAll("details").forEach((part, n) => { part.open = Boolean(open[n]); });
    if (focused) place().querySelector(focused)?.focus({ preventScroll: true });
    window.scrollTo(scrollX, scrollY);
    heard.textContent = place().dataset.said;
  };

  const refresh = async () => {
    if (fetching || wanted <= shown() || isFilling()) return;
    fetching = true;
    try {
      const answer = await fetch(address(), { credentials: "same-origin", redirect: "error" });
      if (answer.ok && !isFilling()) swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
      else if (answer.status === 404 || answer.status === 410) source?.close();
    } catch {
      // The line is down: the next thing heard tries again.
    } finally {
      fetching = false;
    }
  };

  const listen = () => {
    source?.close();
    source = new EventSource(first.dataset.live);
    source.addEventListener("version", (told) => {
      wanted = Math.max(wanted, Number(told.data));
      refresh();
    });
  };

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) source?.close();
    else listen();
  });
  for (const moment of ["focusout", "change", "click"]) document.addEventListener(moment, () => setTimeout(refresh, 300));
  window.addEventListener("hashchange", refresh);
  window.addEventListener("pagehide", () => source?.close());
  listen();
})();
