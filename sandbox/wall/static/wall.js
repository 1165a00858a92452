// The wall, live: each hop makes the panels that changed fetch themselves anew, and only what differs is touched.

const wall = document.getElementById("wall");
const says = document.getElementById("says");
const toast = document.getElementById("toast");
const narrow = matchMedia("(max-width: 1239px)");
const chosen = new URLSearchParams(location.search);
const seen = new Map();
let began = false;

// Parts.

function sameKind(old, fresh) {
  return old && old.nodeType === fresh.nodeType && old.nodeName === fresh.nodeName
    && keyOf(old) === keyOf(fresh);
}

function keyOf(node) {
  return node.dataset ? node.dataset.key || "" : "";
}

function matchAttributes(old, fresh) {
  for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
}

function become(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) { old.nodeValue = fresh.nodeValue; return; }
  matchAttributes(old, fresh);
  becomeChildren(old, fresh);
}

function becomeChildren(old, fresh) {
  const kept = new Map([...old.children].filter(keyOf).map((child) => [keyOf(child), child]));
  let cursor = old.firstChild;
  for (const child of [...fresh.childNodes]) {
    const match = keyOf(child) ? kept.get(keyOf(child)) : sameKind(cursor, child) ? cursor : null;
    if (!match) {
      if (keyOf(child)) child.classList.add("arrives");
      old.insertBefore(child, cursor);
      continue;
    }
    if (match === cursor) cursor = cursor.nextSibling;
    else old.insertBefore(match, cursor);
    become(match, child);
  }
  while (cursor) {
    const next = cursor.nextSibling;
    cursor.remove();
    cursor = next;
  }
}

async function refresh(panel) {
  const answer = await fetch(`/parts/${panel.dataset.panel}?${chosen}`);
  if (!answer.ok) return;
  const fresh = document.createElement("section");
  fresh.innerHTML = await answer.text();
  const chat = panel.querySelector("[data-stick]");
  const atEnd = !chat || chat.scrollHeight - chat.scrollTop - chat.clientHeight < 80;
  becomeChildren(panel, fresh);
  if (atEnd) toEnd(panel);
  count(panel);
  measureAll(panel);
}

function toEnd(panel) {
  const chat = panel.querySelector("[data-stick]");
  if (chat) chat.scrollTop = chat.scrollHeight;
}

// How many messages a text costs: letters of GSM 160 in one (153 each of several), others 70 (67).
const gsm = /^[@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&'()*+,\-./0-9:;<=>?¡A-ZÄÖÑÜ§¿a-zäöñüà^{}\\[\]~|€]*$/;
const twice = /[\^{}\\[\]~|€]/g;

function length(text) {
  const plain = gsm.test(text);
  const size = text.length + (plain ? (text.match(twice) || []).length : 0);
  const [one, several] = plain ? [160, 153] : [70, 67];
  const parts = size <= one ? 1 : Math.ceil(size / several);
  return `${size} ký tự${plain ? "" : " có dấu"} · ${parts} tin`;
}

function measure(field) {
  const told = document.getElementById(field.dataset.measured);
  if (!told.dataset.empty) told.dataset.empty = told.textContent;
  put(told, field.value ? length(field.value) : told.dataset.empty);
}

function measureAll(panel) {
  for (const field of panel.querySelectorAll("[data-measured]")) measure(field);
}

// A chip shows how many arrived since its person was last looked at.
function count(panel) {
  for (const chip of panel.querySelectorAll("[data-total]")) {
    const key = chip.dataset.choose + chip.dataset.key;
    const total = Number(chip.dataset.total);
    if (chip.getAttribute("aria-current")) seen.set(key, total);
    else if (!seen.has(key)) seen.set(key, began ? 0 : total); // somebody new: all of it is news
    const waiting = total - seen.get(key);
    chip.classList.toggle("waiting", waiting > 0);
    chip.title = waiting > 0 ? `${waiting} tin mới` : "";
  }
}

// One fetch a panel, however many hops come at once.
const stale = new Set();
let running = false;

function mark(panel) {
  stale.add(panel);
  if (running) return;
  running = true;
  setTimeout(settle, 40);
}

async function settle() {
  while (stale.size) {
    const panels = [...stale];
    stale.clear();
    await Promise.all(panels.map((panel) => refresh(panel).catch(() => {})));
  }
  running = false;
}

// The stream.

function listen() {
  const stream = new EventSource("/stream");
  stream.addEventListener("hop", (event) => hear(JSON.parse(event.data)));
  stream.addEventListener("clock", (event) => setClock(Number(event.data)));
  stream.addEventListener("open", () => document.body.classList.remove("away"));
  stream.addEventListener("error", () => document.body.classList.add("away"));
}

function hear(hop) {
  says.textContent = hop.text;
  for (const panel of wall.querySelectorAll("[data-panel]")) {
    const kinds = panel.dataset.hears.split(" ");
    if (!kinds.some((kind) => hop.kind.startsWith(kind))) continue;
    mark(panel);
    if (hop.kind.endsWith(".out")) badge(panel);
  }
}

// The clock ticks here and is put right by the stream.

let ahead = Number(wall.dataset.now) - Date.now();
const hourFormat = new Intl.DateTimeFormat("vi-VN", { timeZone: "Asia/Ho_Chi_Minh", hour: "2-digit", minute: "2-digit", hour12: false });
const dayFormat = new Intl.DateTimeFormat("en-GB", { timeZone: "Asia/Ho_Chi_Minh", weekday: "short", day: "2-digit", month: "2-digit", year: "numeric" });
const days = { Mon: "thứ Hai", Tue: "thứ Ba", Wed: "thứ Tư", Thu: "thứ Năm", Fri: "thứ Sáu", Sat: "thứ Bảy", Sun: "Chủ nhật" };

function setClock(now) {
  ahead = now - Date.now();
  tick();
}

function tick() {
  const now = new Date(Date.now() + ahead);
  const part = Object.fromEntries(dayFormat.formatToParts(now).map(({ type, value }) => [type, value]));
  const hour = hourFormat.format(now);
  put(document.getElementById("hour"), hour);
  put(document.getElementById("day"), `${days[part.weekday]} ${part.day}/${part.month}/${part.year}`);
  for (const phone of document.querySelectorAll(".phone-hour")) put(phone, hour);
}

function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// Buttons.

async function post(address, body) {
  try {
    const answer = await fetch(address, { method: "POST", headers: { "Content-Type": "application/json" }, body });
    const said = answer.ok ? await answer.json() : { say: "Không làm được. Tải lại trang rồi thử lại.", failed: true };
    if (said.now) setClock(said.now);
    if (said.failed) warn(said.say);
    else if (said.say) says.textContent = said.say;
    return !said.failed;
  } catch {
    warn("Tường điện thoại không trả lời. Nó còn chạy không?");
    return false;
  }
}

let quiet = 0;

function warn(text) {
  toast.textContent = text;
  toast.hidden = false;
  clearTimeout(quiet);
  quiet = setTimeout(() => { toast.hidden = true; }, 6000);
}

async function press(button) {
  if (button.getAttribute("aria-busy")) return;
  button.setAttribute("aria-busy", "true");
  await post(button.dataset.post, button.dataset.body);
  button.removeAttribute("aria-busy");
}

async function submit(form) {
  const fields = Object.fromEntries(new FormData(form));
  for (const field of form.querySelectorAll("[data-number]")) fields[field.name] = Number(field.value);
  const text = form.querySelector("input:not([type=hidden])");
  if (text && !text.value.trim()) return;
  const done = await post(form.dataset.form, JSON.stringify(fields));
  if (!done || !text || !("clear" in form.dataset)) return;
  text.value = "";
  measureAll(form);
}

function choose(link) {
  chosen.set(link.dataset.choose, link.dataset.value || link.dataset.key);
  if (link.dataset.choose === "mail") chosen.delete("open");
  history.replaceState(null, "", `?${chosen}`);
  mark(link.closest("[data-panel]"));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-post]");
  if (button) { press(button); return; }
  const link = event.target.closest("[data-choose]");
  if (link && !event.ctrlKey && !event.metaKey) { event.preventDefault(); choose(link); return; }
  const tab = event.target.closest("[data-tab]");
  if (tab) show(tab.dataset.tab);
});

document.addEventListener("submit", (event) => {
  event.preventDefault();
  submit(event.target);
});

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-measured]")) measure(event.target);
});

document.addEventListener("animationend", (event) => event.target.classList.remove("arrives"));

// Tabs, where only one screen fits.

function show(key) {
  wall.dataset.shown = key;
  for (const tab of document.querySelectorAll("[data-tab]")) {
    if (tab.dataset.tab === key) {
      tab.setAttribute("aria-current", "true");
      tab.querySelector(".count").hidden = true;
      tab.querySelector(".count").textContent = "";
    } else tab.removeAttribute("aria-current");
  }
  for (const panel of wall.querySelectorAll("[data-panel]")) panel.classList.toggle("shown", panel.id === key);
  toEnd(document.getElementById(key));
}

function badge(panel) {
  if (!narrow.matches || wall.dataset.shown === panel.id || panel.id === "hops") return;
  const mine = document.querySelector(`[data-tab="${panel.id}"] .count`);
  mine.textContent = String(Number(mine.textContent || 0) + 1);
  mine.hidden = false;
}

show("zalo");
for (const panel of wall.querySelectorAll("[data-panel]")) { toEnd(panel); count(panel); }
began = true;
tick();
setInterval(tick, 1000);
listen();
