// A WebSocket that comes back, and that measures itself.
//
// handlers: state(name, milliseconds until the next attempt, the server's reason for closing),
// message(object), roundTrip(milliseconds). The states are "connecting", "open" and "waiting".

const FIRST_DELAY = 400;
const LONGEST_DELAY = 8000;
const LIVED = 5000; // a connection that lasted so long starts the delays anew
const PING_EVERY = 1000;
const PONG_WITHIN = 5000;
const OPEN_WITHIN = 5000;

export class Connection {
  #url;
  #handlers;
  #socket = null;
  #failures = 0;
  #openedAt = 0;
  #retryTimer = 0;
  #openTimer = 0;
  #ping = { word: 0, sentAt: 0, waiting: false };

  constructor(url, handlers) {
    this.#url = url;
    this.#handlers = handlers;
    setInterval(() => this.#beat(), PING_EVERY);
    addEventListener("online", () => this.retry());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) {
        this.#ping.waiting = false; // a page in the background is slow to hear of its pong
        return;
      }
      this.retry();
      this.#beat();
    });
  }

  get isOpen() {
    return this.#socket !== null && this.#socket.readyState === WebSocket.OPEN;
  }

  connect() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = 0;
    this.#handlers.state("connecting", 0, "");
    const socket = new WebSocket(this.#url, "lwsloop-room");
    this.#socket = socket;
    this.#openTimer = setTimeout(() => this.#giveUp(), OPEN_WITHIN);
    socket.addEventListener("open", () => {
      clearTimeout(this.#openTimer);
      this.#openedAt = performance.now();
      this.#handlers.state("open", 0, "");
    });
    socket.addEventListener("message", (event) => {
      if (this.#socket === socket) this.#receive(event.data);
    });
    socket.addEventListener("close", (event) => {
      if (this.#socket === socket) this.#lost(event.reason);
    });
  }

  // Does not wait for the delay to be over, if there is one.
  retry() {
    if (this.#retryTimer) this.connect();
  }

  send(command) {
    if (!this.isOpen) return false;
    this.#socket.send(command);
    return true;
  }

  #receive(data) {
    const message = JSON.parse(data);
    if (message.type !== "pong") {
      this.#handlers.message(message);
    } else if (this.#ping.waiting && message.word === String(this.#ping.word)) {
      this.#ping.waiting = false;
      this.#handlers.roundTrip(performance.now() - this.#ping.sentAt);
    }
  }

  #beat() {
    if (!this.isOpen || document.hidden) return;
    const now = performance.now();
    if (!this.#ping.waiting) {
      this.#ping = { word: this.#ping.word + 1, sentAt: now, waiting: true };
      this.send(`ping ${this.#ping.word}`);
    } else if (now - this.#ping.sentAt > PONG_WITHIN) {
      this.#giveUp();
    }
  }

  // On a dead network closing takes long: it is not waited for.
  #giveUp() {
    const socket = this.#socket;
    this.#lost("");
    socket.close();
  }

  #lost(reason) {
    if (this.#openedAt && performance.now() - this.#openedAt > LIVED) this.#failures = 0;
    clearTimeout(this.#openTimer);
    this.#socket = null;
    this.#openedAt = 0;
    this.#ping.waiting = false;
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 1.7 ** this.#failures);
    const spread = delay * (0.8 + 0.4 * Math.random()); // many pages do not come back at once
    this.#failures += 1;
    this.#retryTimer = setTimeout(() => this.connect(), spread);
    this.#handlers.state("waiting", spread, reason);
  }
}
