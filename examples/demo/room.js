// The room: what the server tells becomes text on the page, and what is typed goes to the server.

import { RoundTrips } from "./chart.js";
import { Connection } from "./connection.js";

const LINES_KEPT = 400;
const SAME_BREATH = 120_000; // lines of one person within this time stand together

const element = (id) => document.getElementById(id);
const roundTrips = new RoundTrips();
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });

let me = 0; // the number the server gave us
let opened = 0; // which run of the server
let nextLine = null; // the number of the line that comes next, if that is known
let lastSpeaker = null;
let unread = 0;
let atEnd = true; // the newest line is in view, and stays in view
let stateTimer = 0;

const clean = (text) => text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").trim();

function make(tag, className, text) {
  const node = document.createElement(tag);
  node.className = className;
  if (text !== undefined) node.textContent = text;
  return node;
}

// Who one is: a name for this tab, so that two tabs are two people.

function inventName() {
  const pick = (words) => words[Math.floor(Math.random() * words.length)];
  const manners = ["Amber", "Brisk", "Calm", "Gentle", "Keen", "Lucky", "Merry", "Quiet", "Silver", "Swift"];
  const animals = ["Badger", "Crane", "Fox", "Heron", "Lynx", "Marten", "Otter", "Owl", "Seal", "Wren"];
  return `${pick(manners)} ${pick(animals)}`;
}

function remember(name) {
  try {
    sessionStorage.setItem("name", name);
  } catch {
    // Without storage the name lasts as long as the page.
  }
}

function rememberedName() {
  try {
    return sessionStorage.getItem("name");
  } catch {
    return null;
  }
}

let name = rememberedName() ?? inventName();
remember(name);
element("name").value = name;

// People and their colours.

function hueOf(text) {
  let hash = 7;
  for (const character of text) hash = (hash * 31 + character.codePointAt(0)) % 3600;
  return hash % 360;
}

function avatar(person) {
  const words = person.split(/\s+/).filter(Boolean);
  const initials = words.slice(0, 2).map((word) => [...word][0].toUpperCase());
  const node = make("span", "avatar", initials.join(""));
  node.setAttribute("aria-hidden", "true");
  node.style.setProperty("--hue", hueOf(person));
  return node;
}

function showPeople(people) {
  const sorted = [...people].sort((a, b) => (b.id === me) - (a.id === me) || a.id - b.id);
  const rows = sorted.map((person) => {
    const row = make("li", "person");
    row.append(avatar(person.name), make("bdi", "person-name", person.name));
    if (person.id === me) row.append(make("span", "you", "you"));
    return row;
  });
  element("people").replaceChildren(...rows);
  element("count").textContent = people.length;
}

// Lines.

function scrollToEnd() {
  const scroller = element("scroller");
  scroller.scrollTop = scroller.scrollHeight;
  atEnd = true;
  element("newest").hidden = true;
}

function noteScrolling() {
  const scroller = element("scroller");
  atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 60;
  if (atEnd) element("newest").hidden = true;
}

function append(node, always) {
  const lines = element("lines");
  lines.append(node);
  while (lines.children.length > LINES_KEPT) lines.firstElementChild.remove();
  if (always || atEnd) scrollToEnd();
  else element("newest").hidden = false;
}

function note(...parts) {
  lastSpeaker = null;
  const node = make("li", "note");
  node.append(...parts);
  append(node, false);
}

function bubble(line) {
  const mine = line.id === me;
  const speaker = `${opened}/${line.id}/${line.name}`;
  const goesOn = lastSpeaker?.speaker === speaker && line.time - lastSpeaker.time < SAME_BREATH;
  const node = make("li", `line${mine ? " mine" : ""}${goesOn ? " goes-on" : ""}`);
  const body = make("div", "body");
  if (!goesOn) {
    const time = make("time", "time", clock.format(line.time));
    time.dateTime = new Date(line.time).toISOString();
    const head = make("p", "head");
    head.append(make("bdi", "speaker", mine ? "You" : line.name), " ", time);
    body.append(head);
  }
  const text = make("p", "text", line.text);
  text.dir = "auto";
  body.append(text);
  node.append(avatar(line.name), body);
  element("empty").hidden = true;
  lastSpeaker = { speaker, time: line.time };
  append(node, mine);
}

function showLine(line) {
  if (nextLine !== null && line.number < nextLine) return;
  if (nextLine !== null && line.number > nextLine) note(`${line.number - nextLine} lines were missed`);
  nextLine = line.number + 1;

  const who = make("bdi", "note-name", line.name);
  const mine = line.id === me;
  if (line.type === "said") {
    bubble(line);
    if (document.hidden) unread += 1;
    showTitle();
  } else if (line.type === "joined") {
    note(...(mine ? ["You came in"] : [who, " came in"]));
  } else if (line.type === "left") {
    note(who, " left");
  } else if (line.type === "renamed") {
    note(...(mine ? ["You are now ", who] : [make("bdi", "note-name", line.text), " is now ", who]));
  }
}

function showTitle() {
  document.title = unread > 0 ? `(${unread}) lwsloop room` : "lwsloop room";
}

function showMessage(message) {
  if (message.type === "people") {
    showPeople(message.people);
  } else if (message.type === "welcome") {
    if (opened !== 0 && opened !== message.opened) {
      nextLine = null;
      note("The server is back, with an empty memory");
    }
    me = message.id;
    opened = message.opened;
    const version = make("span", "version", `${message.version} `);
    element("served").replaceChildren("lwsloop ", version, `on the ${message.loop} loop`);
  } else {
    showLine(message);
  }
}

// The connection's state.

function showState(state, milliseconds, reason) {
  const words = { connecting: "Connecting", open: "Connected", waiting: "Reconnecting" };
  const until = performance.now() + milliseconds;
  const count = () => {
    const seconds = Math.ceil((until - performance.now()) / 1000);
    element("countdown").textContent = seconds > 0 ? `Next attempt in ${seconds} s.` : "Trying now.";
  };

  element("room").dataset.state = state;
  if (element("state").textContent !== words[state]) element("state").textContent = words[state];
  clearInterval(stateTimer);
  if (state === "open") {
    element("lost").hidden = true;
    connection.send(`join ${name}`);
  } else if (state === "waiting") {
    element("lost").hidden = false;
    element("why").textContent = reason ? `The server hung up: ${reason}.` : "The server is away.";
    stateTimer = setInterval(count, 250);
  }
  count();
  showSend();
}

function showSend() {
  element("send").disabled = !connection.isOpen || clean(element("text").value) === "";
}

// What the person does.

function rename() {
  const wanted = clean(element("name").value);
  element("name").value = wanted || name;
  if (!wanted || wanted === name) return;
  name = wanted;
  remember(name);
  connection.send(`join ${name}`);
}

element("name").addEventListener("change", rename);
element("name").addEventListener("keydown", (event) => {
  if (event.key !== "Enter") return;
  event.preventDefault();
  rename();
  element("text").focus();
});
element("text").addEventListener("input", showSend);
element("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = clean(element("text").value);
  if (text === "" || !connection.send(`say ${text}`)) return;
  element("text").value = "";
  element("text").focus();
  showSend();
});
element("retry").addEventListener("click", () => connection.retry());
element("newest").addEventListener("click", scrollToEnd);
element("scroller").addEventListener("scroll", noteScrolling);
new ResizeObserver(() => {
  if (atEnd) scrollToEnd(); // a keyboard came up, or the phone was turned
}).observe(element("scroller"));
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return;
  unread = 0;
  showTitle();
});

const address = new URL(".", location.href);
address.protocol = location.protocol === "https:" ? "wss:" : "ws:";
const connection = new Connection(address.href, {
  state: showState,
  message: showMessage,
  roundTrip: (milliseconds) => roundTrips.add(milliseconds),
});
connection.connect();
