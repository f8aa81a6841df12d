// Talks to tests/interop/server.c with Node's ws.
//
// Usage: node node_ws.mjs URL [CA] [--without STEP,…]
// URL is ws://127.0.0.1:PORT/ or wss://…; CA is the file of the authority to trust then.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import net from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import WebSocket from "ws";

const MEBIBYTE = 1024 * 1024;
const STEP_MILLISECONDS = 60000;
const SIZES = [0, 1, 125, 126, 127, 4095, 4096, 4097, 65535, 65536, 65537, MEBIBYTE, 16 * MEBIBYTE];

const { values: options, positionals } = parseArgs({
    options: { without: { type: "string", default: "" } },
    allowPositionals: true,
});
const url = new URL(positionals[0]);
const without = options.without.split(",");
const encrypted = url.protocol === "wss:";
const tls = encrypted ? { ca: readFileSync(positionals[1]) } : {};
const web = encrypted ? https : http;

// A WebSocket whose messages, pings and pongs can be waited for one by one.
class Connection {
    constructor(protocols = [], options = {}) {
        this.waiting = [];
        this.arrived = [];
        this.socket = new WebSocket(url, protocols, { perMessageDeflate: false, ...tls, ...options });
        this.opened = new Promise((resolve, reject) => {
            this.socket.on("open", resolve);
            this.socket.on("error", reject);
            this.socket.on("unexpected-response", (_request, response) => {
                response.resume();
                reject(Object.assign(new Error("refused"), { response }));
            });
        });
        this.opened.catch(() => {});
        this.closed = new Promise((resolve) => {
            this.socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
        });
        this.socket.on("message", (data, binary) => this.take({ kind: "message", data, binary }));
        this.socket.on("ping", (data) => this.take({ kind: "ping", data }));
        this.socket.on("pong", (data) => this.take({ kind: "pong", data }));
        this.closed.then((end) => this.take({ kind: "close", ...end }));
    }

    take(item) {
        const waiter = this.waiting.shift();
        if (waiter)
            waiter(item);
        else
            this.arrived.push(item);
    }

    next() {
        if (this.arrived.length > 0)
            return Promise.resolve(this.arrived.shift());
        return new Promise((resolve) => this.waiting.push(resolve));
    }

    async text() {
        const item = await this.next();
        assert.equal(item.kind, "message");
        assert.equal(item.binary, false);
        return item.data.toString();
    }

    async command(line) {
        this.socket.send(line);
        return this.text();
    }

    async echo(data) {
        this.socket.send(data);
        await this.expect(data);
    }

    async expect(data) {
        const item = await this.next();
        assert.equal(item.kind, "message");
        assert.equal(item.binary, typeof data !== "string");
        assert.ok(item.data.equals(Buffer.from(data)), `the reply differs, ${item.data.length} bytes`);
    }

    async end(code = 1000, reason = "") {
        this.socket.close(code, reason);
        return this.closed;
    }
}

async function open(protocols, options) {
    const connection = new Connection(protocols, options);
    await connection.opened;
    return connection;
}

// `size` bytes of UTF-8 with characters of one to four bytes.
function textOf(size) {
    const pattern = "aä€😀";
    const count = Math.floor(size / Buffer.byteLength(pattern));
    return pattern.repeat(count) + "z".repeat(size - count * Buffer.byteLength(pattern));
}

function bytesOf(size) {
    const bytes = Buffer.alloc(size);
    for (let i = 0; i < size; i++)
        bytes[i] = (i * 31 + (i >> 8)) & 0xff;
    return bytes;
}

// Asks the server about the latest connection that ended until there is a new one.
async function nextClose(observer, before) {
    for (;;) {
        const [, count, code, reason] = /^(\d+) (\d+) (.*)$/s.exec(await observer.command("closes"));
        if (Number(count) > before)
            return { code: Number(code), reason };
        await pause(10);
    }
}

async function closeCount(observer) {
    return Number((await observer.command("closes")).split(" ")[0]);
}

const steps = {
    async "text of every size"() {
        const connection = await open();
        for (const size of SIZES)
            await connection.echo(textOf(size));
        await connection.end();
    },

    async "binary of every size"() {
        const connection = await open();
        for (const size of SIZES)
            await connection.echo(bytesOf(size));
        await connection.end();
    },

    async "many messages under way"() {
        const connection = await open();
        const messages = Array.from({ length: 2000 }, (_, i) => `message ${i} ${"x".repeat(i % 700)}`);
        for (const message of messages)
            connection.socket.send(message);
        for (const message of messages)
            await connection.expect(message);
        await connection.end();
    },

    async "fragments"() {
        const connection = await open();
        const pieces = [1, 125, 126, 0, 65535, 65536, 300000].map(bytesOf);
        for (const piece of pieces)
            connection.socket.send(piece, { fin: false });
        connection.socket.send(Buffer.alloc(0), { fin: true });
        await connection.expect(Buffer.concat(pieces));
        for (let i = 0; i < 5000; i++)
            connection.socket.send("y", { fin: i === 4999 });
        await connection.expect("y".repeat(5000));
        await connection.end();
    },

    async "fragments cut inside a character"() {
        const connection = await open();
        const bytes = Buffer.from("one € two 😀 three");
        for (let i = 0; i < bytes.length; i++)
            connection.socket.send(bytes.subarray(i, i + 1), { binary: false, fin: i === bytes.length - 1 });
        await connection.expect(bytes.toString());
        await connection.end();
    },

    async "fragments with pings between"() {
        const connection = await open();
        for (let i = 0; i < 10; i++) {
            connection.socket.send(`piece ${i},`, { fin: i === 9 });
            const payload = Buffer.from(`ping ${i}`);
            connection.socket.ping(payload);
            if (i < 9) {
                const item = await connection.next();
                assert.equal(item.kind, "pong");
                assert.ok(item.data.equals(payload));
            }
        }
        const items = [await connection.next(), await connection.next()];
        assert.deepEqual(items.map((item) => item.kind).sort(), ["message", "pong"]);
        const message = items.find((item) => item.kind === "message");
        assert.equal(message.data.toString(), Array.from({ length: 10 }, (_, i) => `piece ${i},`).join(""));
        await connection.end();
    },

    async "fragments from the server"() {
        const connection = await open(["command"]);
        connection.socket.send("fragments 1000");
        assert.equal(await connection.text(), Array.from({ length: 1000 }, (_, i) => `${i} `).join(""));
        await connection.end();
    },

    async "pongs carry what the ping carried"() {
        const connection = await open();
        for (const size of [0, 1, 124, 125]) {
            connection.socket.ping(bytesOf(size));
            const item = await connection.next();
            assert.equal(item.kind, "pong");
            assert.ok(item.data.equals(bytesOf(size)));
        }
        await connection.end();
    },

    async "pings from the server"() {
        const connection = await open(["command"]);
        connection.socket.send("ping hello");
        const item = await connection.next();
        assert.equal(item.kind, "ping");
        assert.equal(item.data.toString(), "hello");
        assert.equal(await connection.text(), "pinged");
        connection.socket.pong("unasked for");
        assert.equal(await connection.command("say still here"), "still here");
        await connection.end();
    },

    async "concurrent connections"() {
        await Promise.all(Array.from({ length: 100 }, async (_, number) => {
            const connection = await open();
            for (let round = 0; round < 10; round++)
                await connection.echo(`connection ${number}, round ${round} ${".".repeat(number)}`);
            await connection.end();
        }));
    },

    async "subprotocols"() {
        for (const [offer, chosen] of [
            [["echo"], "echo"],
            [["second", "echo"], "second"],
            [["unknown", "echo", "second"], "echo"],
            [[], ""],
        ]) {
            const connection = await open(offer);
            assert.equal(connection.socket.protocol, chosen);
            await connection.echo("hello");
            await connection.end();
        }
    },

    async "an unknown subprotocol is refused"() {
        await assert.rejects(open(["unknown"]), (error) => error.response?.statusCode === 400);
    },

    async "compression is declined"() {
        const connection = await open([], {
            perMessageDeflate: { clientMaxWindowBits: 10, serverNoContextTakeover: true, threshold: 0 },
        });
        assert.equal(connection.socket.extensions, "");
        await connection.echo(textOf(100000));
        await connection.end();
    },

    async "protocol version 8"() {
        const connection = await open([], { protocolVersion: 8 });
        await connection.echo("hello");
        await connection.end();
    },

    async "an unknown version is refused with those spoken"() {
        const response = await new Promise((resolve, reject) => {
            web.get({
                host: url.hostname,
                port: url.port,
                ...tls,
                headers: {
                    "Connection": "Upgrade",
                    "Upgrade": "websocket",
                    "Sec-WebSocket-Key": Buffer.alloc(16, 1).toString("base64"),
                    "Sec-WebSocket-Version": "14",
                },
            }, resolve).on("error", reject);
        });
        response.resume();
        assert.equal(response.statusCode, 426);
        assert.deepEqual(response.headers["sec-websocket-version"].split(/\s*,\s*/), ["13", "8", "7"]);
        assert.equal(response.headers.upgrade.toLowerCase(), "websocket");
    },

    async "close codes of the client"() {
        const observer = await open(["command"]);
        for (const [code, reason] of [
            [1000, ""], [1000, "done"], [1001, "going"], [1002, "odd"], [1003, "no"], [1007, "bad"],
            [1008, "no"], [1009, "much"], [1011, "oops"], [1012, "soon"], [1013, "later"],
            [1014, "gateway"], [3000, "registered"], [4000, "own"], [4999, "€".repeat(41)],
        ]) {
            const before = await closeCount(observer);
            const connection = await open();
            await connection.echo("hello");
            assert.equal((await connection.end(code, reason)).code, code);
            assert.deepEqual(await nextClose(observer, before), { code, reason });
        }
        await observer.end();
    },

    async "a close without a code"() {
        const observer = await open(["command"]);
        const before = await closeCount(observer);
        const connection = await open();
        connection.socket.close();
        assert.equal((await connection.closed).code, 1005);
        assert.deepEqual(await nextClose(observer, before), { code: 1005, reason: "" });
        await observer.end();
    },

    async "a client that vanishes"() {
        const observer = await open(["command"]);
        const before = await closeCount(observer);
        const connection = await open();
        connection.socket.terminate();
        assert.deepEqual(await nextClose(observer, before), { code: 1006, reason: "" });
        await observer.end();
    },

    async "close codes of the server"() {
        for (const [code, reason] of [
            [1000, ""], [1001, "restart"], [1008, "rules"], [1011, "oops"], [1013, "later"],
            [3999, "x"], [4001, "€".repeat(41)],
        ]) {
            const connection = await open(["command"]);
            connection.socket.send(`close ${code} ${reason}`);
            assert.deepEqual(await connection.closed, { code, reason });
        }
    },

    async "a close by return value, after the last words"() {
        const connection = await open(["command"]);
        connection.socket.send("farewell 300000");
        assert.equal(await connection.text(), "f".repeat(300000));
        assert.equal((await connection.closed).code, 1000);
    },

    async "too large a message"() {
        const connection = await open();
        connection.socket.on("error", () => {});
        connection.socket.send(Buffer.alloc(17 * MEBIBYTE));
        assert.equal((await connection.closed).code, 1009);
    },

    async "reserved bits set"() {
        const connection = await open();
        connection.socket._socket.write(Buffer.from([0xc1, 0x80, 0, 0, 0, 0]));
        assert.equal((await connection.closed).code, 1002);
    },

    async "a slow reader loses nothing"() {
        const connection = await open(["command"]);
        connection.socket.send("burst 3000");
        for (let i = 0; i < 3000; i++) {
            const message = await connection.text();
            assert.ok(message.startsWith(`${i} `), `${message.slice(0, 20)} in place of ${i}`);
            if (i % 100 === 0) {
                connection.socket.pause();
                await pause(5);
                connection.socket.resume();
            }
        }
        await connection.end();
    },

    async "HTTP on the same port, kept alive, then upgraded"() {
        const agent = new web.Agent({ keepAlive: true, maxSockets: 1, ...tls });
        const get = (path) => new Promise((resolve, reject) => {
            const { hostname: host, port } = url;
            const request = web.get({ host, port, agent, path }, (response) => {
                let body = "";
                const from = response.socket.localPort;
                response.on("data", (piece) => body += piece);
                response.on("end", () => resolve({ body, reused: request.reusedSocket, from }));
            });
            request.on("error", reject);
        });
        assert.equal((await get("/hello.txt")).body, "hello, file\n");
        const again = await get("/hello.txt");
        assert.equal(again.body, "hello, file\n");
        assert.equal(again.reused, true);
        const connection = new Connection([], { agent });
        await connection.opened;
        assert.equal(connection.socket._socket.localPort, again.from);
        await connection.echo("hello");
        await connection.end();
        agent.destroy();
    },

    async "a connection that says nothing does not disturb"() {
        const silent = net.connect(url.port, url.hostname);
        await new Promise((resolve) => silent.on("connect", resolve));
        const connection = await open();
        await connection.echo("hello");
        await connection.end();
        silent.destroy();
    },
};

let passed = 0;
let failed = 0;
for (const [name, step] of Object.entries(steps)) {
    if (without.includes(name))
        continue;
    const deadline = new AbortController();
    try {
        await Promise.race([
            step(),
            pause(STEP_MILLISECONDS, null, { signal: deadline.signal, ref: true })
                .then(() => { throw new Error("timed out"); }),
        ]);
        passed++;
        console.log(`ok      ${name}`);
    } catch (error) {
        failed++;
        console.log(`FAILED  ${name}: ${error.message}`);
    }
    deadline.abort();
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
