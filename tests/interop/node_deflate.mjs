// Talks to tests/interop/server.c with Node's ws and permessage-deflate.
//
// Usage: node node_deflate.mjs [--all] [--large] [--ca CA] CASES SETTINGS URL [SETTINGS URL]…
// The arguments are told in python_deflate.py.
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import WebSocket, { PerMessageDeflate } from "ws";

const MEBIBYTE = 1024 * 1024;
const STEP_MILLISECONDS = 60000;
const SIZES = [1, 2, 255, 256, 257, 3000, 16384, 65537, 300000];
const DEFAULTS = "";
const KEEPING = "takeover=3";
const ANY_WINDOW = { clientMaxWindowBits: true };

const { values: options, positionals } = parseArgs({
    options: {
        all: { type: "boolean", default: false },
        large: { type: "boolean", default: false },
        ca: { type: "string" },
    },
    allowPositionals: true,
});
const [casesFile, ...pairs] = positionals;
const servers = new Map(Array.from({ length: pairs.length / 2 }, (_, i) => pairs.slice(2 * i, 2 * i + 2)));
const tls = options.ca ? { ca: readFileSync(options.ca) } : {};

// How many compressed bytes went each way.
for (const name of ["compress", "decompress"]) {
    const original = PerMessageDeflate.prototype[name];
    PerMessageDeflate.prototype[name] = function (data, fin, callback) {
        if (name === "decompress")
            this.received = (this.received ?? 0) + data.length;
        original.call(this, data, fin, (error, result) => {
            if (name === "compress")
                this.sent = (this.sent ?? 0) + (result?.length ?? 0);
            callback(error, result);
        });
    };
}

class Connection {
    constructor(settings, perMessageDeflate, protocol) {
        this.waiting = [];
        this.arrived = [];
        this.answer = undefined;
        this.socket = new WebSocket(servers.get(settings), [protocol], {
            ...tls, perMessageDeflate: perMessageDeflate && { concurrencyLimit: 4, ...perMessageDeflate },
        });
        this.socket.on("upgrade", (response) => { this.answer = response.headers["sec-websocket-extensions"]; });
        this.opened = new Promise((resolve, reject) => {
            this.socket.on("open", resolve);
            this.socket.on("error", reject);
        });
        this.opened.catch(() => {});
        this.closed = new Promise((resolve) => {
            this.socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
        });
        this.socket.on("message", (data, binary) => this.take({ kind: "message", data, binary }));
        this.socket.on("pong", (data) => this.take({ kind: "pong", data }));
        this.closed.then((end) => this.take({ kind: "close", ...end }));
    }

    get deflate() {
        return this.socket._extensions[PerMessageDeflate.extensionName];
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

    async expect(data) {
        const item = await this.next();
        assert.equal(item.kind, "message");
        assert.equal(item.binary, typeof data !== "string");
        const length = Buffer.byteLength(data);
        assert.ok(item.data.equals(Buffer.from(data)), `the reply differs, ${item.data.length} bytes for ${length}`);
    }

    async echo(data) {
        this.socket.send(data);
        await this.expect(data);
    }

    // Sent in fragments of these sizes and the rest, and a ping after each.
    async fragments(message, ...sizes) {
        const bytes = Buffer.from(message);
        const binary = typeof message !== "string";
        let at = 0;
        for (const [i, size] of sizes.entries()) {
            this.socket.send(bytes.subarray(at, at + size), { fin: false, binary });
            at += size;
            this.socket.ping(`${i}`);
            const item = await this.next();
            assert.equal(item.kind, "pong");
            assert.equal(item.data.toString(), `${i}`);
        }
        this.socket.send(bytes.subarray(at), { fin: true, binary });
        await this.expect(message);
    }

    // As echo(), and says how many compressed bytes went each way.
    async counted(data) {
        this.deflate.sent = this.deflate.received = 0;
        await this.echo(data);
        return this.deflate;
    }

    async end() {
        this.socket.close(1000);
        assert.equal((await this.closed).code, 1000);
    }
}

async function open(settings, perMessageDeflate, protocol = "extension") {
    assert.ok(servers.has(settings), `there is no server with ${settings}`);
    const connection = new Connection(settings, perMessageDeflate, protocol);
    await connection.opened;
    if (protocol === "extension")
        connection.told = (await connection.next()).data.toString();
    return connection;
}

// `size` bytes of text like JSON, with characters of one to four bytes.
function records(size) {
    const texts = [];
    for (let length = 0; length < Math.min(size, 300000);) {
        const text = JSON.stringify({
            id: Math.floor(Math.random() * 10000),
            name: "Zoë 😀",
            price: `€ ${Math.random().toFixed(2)}`,
            sold: false,
        });
        texts.push(text);
        length += Buffer.byteLength(text);
    }
    const bytes = Buffer.alloc(size + 4, texts.join(",\n") || "z");
    let end = size;
    while ((bytes[end] & 0xc0) === 0x80)
        end--;
    return bytes.toString("utf8", 0, end) + "z".repeat(size - end);
}

function parametersOf(text) {
    const parts = text.split(";").map((part) => part.trim()).filter(Boolean).map((part) => part.split("="));
    return Object.fromEntries(parts.map(([name, value]) => [name, value === undefined ? true : Number(value)]));
}

// What has ws offer exactly these.
function offerOf(parameters) {
    return {
        serverNoContextTakeover: parameters.server_no_context_takeover,
        clientNoContextTakeover: parameters.client_no_context_takeover,
        serverMaxWindowBits: parameters.server_max_window_bits,
        clientMaxWindowBits: parameters.client_max_window_bits ?? false,
    };
}

// A server's threshold; Node's own is 1024, and used where it forgets.
function thresholdOf(settings) {
    return Number(/threshold=(\d+)/.exec(settings)?.[1] ?? 256);
}

async function checkCompression(connection, settings, parameters) {
    const threshold = thresholdOf(settings);
    for (const size of SIZES) {
        const text = await connection.counted(records(size));
        if (size < threshold || size === 1)
            assert.equal(text.received, 0, `text of ${size} bytes was compressed`);
        else if (size >= 255)
            assert.ok(text.received > 0 && text.received < size, `${text.received} bytes came for ${size}`);
        if (size >= 3000 && text.received > 0)
            assert.ok(text.received < size / 2, `${text.received} bytes came for ${size}`);
        const forgets = parameters.client_no_context_takeover;
        assert.equal(text.sent > 0, !forgets || size >= 1024, `ws has sent ${text.sent} bytes for ${size}`);
        const bytes = await connection.counted(randomBytes(size));
        assert.equal(bytes.received, 0, `${size} random bytes were compressed to ${bytes.received}`);
    }
}

// Whether a message that comes twice is remembered.
async function checkTakeover(connection, settings, parameters) {
    const reach = Math.min(4000, (1 << (parameters.server_max_window_bits ?? 15)) - 280);
    const size = reach > 0 ? reach : 200;
    if (size < thresholdOf(settings))
        return;
    const message = randomBytes(size / 2).toString("hex");
    const first = (await connection.counted(message)).received;
    const second = (await connection.counted(message)).received;
    assert.ok(first > 0 && first < size, `${first} bytes for ${size}`);
    if (parameters.server_no_context_takeover)
        assert.equal(second, first);
    else
        assert.ok(second < first / 4, `${second} bytes after ${first} in spite of a memory`);
}

async function runCase(settings, offer, answer) {
    const offered = parametersOf(offer);
    const connection = await open(settings, offerOf(offered));
    if (answer === "declined") {
        assert.equal(connection.answer, undefined);
        assert.equal(connection.told, "none");
        await connection.echo(records(3000));
        await connection.end();
        return;
    }
    assert.equal(connection.answer, ["permessage-deflate", answer].filter(Boolean).join("; "));
    assert.equal(connection.told, "permessage-deflate");
    const agreed = { ...parametersOf(answer) };
    if (typeof offered.client_max_window_bits === "number")
        agreed.client_max_window_bits ??= offered.client_max_window_bits;
    assert.deepEqual({ ...connection.deflate.params }, agreed);
    await checkCompression(connection, settings, agreed);
    await checkTakeover(connection, settings, agreed);
    await connection.fragments(records(100000), 1, 0, 300, 70000);
    await connection.fragments(records(100000), 2000, 0, 300, 70000);
    await connection.fragments(randomBytes(100000), 3000, 0, 1, 70000);
    await connection.echo("");
    await connection.end();
}

async function largeAndFragmented(settings, perMessageDeflate) {
    const connection = await open(settings, { ...ANY_WINDOW, ...perMessageDeflate });
    assert.equal(connection.told, "permessage-deflate");
    for (const message of [records(100000), randomBytes(100000)]) {
        await connection.echo(message);
        await connection.fragments(message, 2000, 50000);
    }
    await connection.end();
}

const ownSteps = {
    async "what ws offers by default"() {
        const connection = await open(KEEPING, true);
        assert.equal(connection.answer, "permessage-deflate");
        await connection.echo(records(100000));
        await connection.end();
    },

    async "a client that offers nothing"() {
        const connection = await open(KEEPING, false);
        assert.equal(connection.answer, undefined);
        assert.equal(connection.told, "none");
        await connection.echo(records(100000));
        await connection.end();
    },

    async "thresholds"() {
        for (const [threshold, size, compressed] of [[0, 1, true], [100, 100, true], [100, 99, false],
            [1e9, 300000, false]]) {
            const connection = await open(DEFAULTS, { ...ANY_WINDOW, threshold });
            assert.equal((await connection.counted(records(size))).sent > 0, compressed);
            await connection.end();
        }
    },

    async "messages that ws is told not to compress"() {
        for (const settings of [DEFAULTS, KEEPING]) {
            const connection = await open(settings, ANY_WINDOW);
            for (let i = 0; i < 20; i++) {
                const message = records(5000 + i);
                connection.socket.send(message, { compress: i % 2 === 1 });
                await connection.expect(message);
            }
            await connection.end();
        }
    },

    async "options of zlib"() {
        for (const zlibDeflateOptions of [
            { level: 0 }, { level: 1 }, { level: 9 }, { memLevel: 1 }, { memLevel: 9 }, { chunkSize: 64 },
            { strategy: 1 }, { strategy: 2 }, { strategy: 3 }, { strategy: 4 },
        ])
            await largeAndFragmented(KEEPING, { zlibDeflateOptions });
        await largeAndFragmented(DEFAULTS, { zlibDeflateOptions: { level: 0 }, threshold: 0 });
        await largeAndFragmented(KEEPING, { zlibInflateOptions: { chunkSize: 64 } });
    },

    // The answer says client_no_context_takeover, which a client may be asked for.
    async "a client that does not want to forget"() {
        await assert.rejects(open(DEFAULTS, { clientNoContextTakeover: false }), /Sec-WebSocket-Extensions/);
        await (await open(KEEPING, { clientNoContextTakeover: false })).end();
    },

    async "many messages under way, pinged"() {
        for (const settings of [DEFAULTS, KEEPING]) {
            const connection = await open(settings, ANY_WINDOW);
            const messages = Array.from({ length: 1000 }, (_, i) => `${i} ${records(i % 2000)}`);
            for (const message of messages) {
                connection.socket.send(message);
                connection.socket.ping();
            }
            let pongs = 0;
            for (const message of messages) {
                let item = await connection.next();
                for (; item.kind === "pong"; item = await connection.next())
                    pongs++;
                assert.ok(item.data.equals(Buffer.from(message)), "a message is lost or out of order");
            }
            assert.ok(pongs >= 999, `${pongs} pongs`);
            await connection.end();
        }
    },

    async "messages of the server"() {
        for (const settings of [DEFAULTS, KEEPING]) {
            const connection = await open(settings, ANY_WINDOW, "command");
            connection.socket.send("fragments 1000");
            await connection.expect(Array.from({ length: 1000 }, (_, i) => `${i} `).join(""));
            connection.socket.send("burst 1000");
            for (let i = 0; i < 1000; i++) {
                await connection.expect(`${i} ${"b".repeat(1000)}`);
                if (i % 100 === 0) {
                    connection.socket.pause();
                    await pause(5);
                    connection.socket.resume();
                }
            }
            connection.deflate.received = 0;
            connection.socket.send(`uncompressed ${"u".repeat(900)}`);
            await connection.expect("u".repeat(900));
            assert.equal(connection.deflate.received, 0);
            connection.socket.send("farewell 300000");
            await connection.expect("f".repeat(300000));
            assert.equal((await connection.closed).code, 1000);
        }
    },

    async "too much when decompressed"() {
        for (const settings of [DEFAULTS, KEEPING]) {
            const connection = await open(settings, ANY_WINDOW);
            connection.socket.on("error", () => {});
            connection.socket.send(Buffer.alloc(17 * MEBIBYTE));
            assert.equal((await connection.closed).code, 1009);
        }
    },

    async "too much for ws"() {
        const connection = await open(KEEPING, ANY_WINDOW, "command");
        connection.deflate._maxPayload = 1000;
        connection.socket.on("error", () => {});
        connection.socket.send(`farewell ${MEBIBYTE}`);
        assert.equal((await connection.closed).code, 1006);
        const other = await open(KEEPING, ANY_WINDOW);
        await other.echo(records(1000));
        await other.end();
    },

    async "reserved bits on a ping and a continuation"() {
        for (const frames of [[0xc9, 0x80, 0, 0, 0, 0], [0x02, 0x80, 0, 0, 0, 0, 0xc0, 0x80, 0, 0, 0, 0],
            [0xa1, 0x80, 0, 0, 0, 0]]) {
            const connection = await open(KEEPING, ANY_WINDOW);
            connection.socket._socket.write(Buffer.from(frames));
            assert.equal((await connection.closed).code, 1002);
        }
    },
};

if (options.large) {
    ownSteps["messages of 16 MiB"] = async () => {
        for (const [settings, message] of [
            [KEEPING, randomBytes(16 * MEBIBYTE)],
            [DEFAULTS, records(16 * MEBIBYTE)],
        ]) {
            const connection = await open(settings, ANY_WINDOW);
            await connection.echo(message);
            await connection.end();
        }
    };
}

let passed = 0;
let failed = 0;
async function step(name, action) {
    const deadline = new AbortController();
    try {
        await Promise.race([
            action(),
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

const cases = readFileSync(casesFile, "utf8").split("\n").filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split("|").map((column) => column.trim()));
for (const [star, settings, offer, answer] of cases) {
    if (star || options.all)
        await step(`[${settings}] is offered [${offer}]`, () => runCase(settings, offer, answer));
}
for (const [name, action] of Object.entries(ownSteps))
    await step(name, action);
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
