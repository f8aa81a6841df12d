// Has Debian's Chromium talk to tests/interop/server.c with permessage-deflate, which it offers by
// itself, by ws and wss.
//
// Usage: node chromium_deflate.mjs [--all] [--large] [--browser PROGRAM] CA CASES SETTINGS URL…
// The arguments are those of python_deflate.py, but that the URLs are of http and https, and that
// of CASES only those have a meaning that are about what Chromium offers.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { inBrowser, run, step } from "./chromium_browser.mjs";

const OFFER = "client_max_window_bits";
const SIZES = [0, 1, 255, 256, 257, 3000, 65537, 300000];
const LARGE = 16 * 1024 * 1024;
const STEP_MILLISECONDS = 120000;

const { values: options, positionals } = parseArgs({
    options: {
        all: { type: "boolean", default: false },
        large: { type: "boolean", default: false },
        browser: { type: "string", default: "/usr/bin/chromium" },
    },
    allowPositionals: true,
});
const [authority, casesFile, ...pairs] = positionals;
const servers = Array.from({ length: pairs.length / 2 }, (_, i) => pairs.slice(2 * i, 2 * i + 2));
const cases = readFileSync(casesFile, "utf8").split("\n").filter((line) => line && !line.startsWith("#"))
    .map((line) => line.split("|").map((column) => column.trim()))
    .filter(([star, , offer]) => offer === OFFER && (star || options.all));

// Runs in the page: what is sent and has not come back as it was, or what was told instead.
async function echoAll(sizes) {
    const { socket, next } = await window.talk(["extension"]);
    const told = await next();
    const wrong = [];
    for (const size of sizes) {
        const record = () => JSON.stringify({ id: Math.random(), name: "Zoë 😀", price: "€ 1", sold: false });
        const block = Array.from({ length: 200 }, record).join(",\n");
        const length = new TextEncoder().encode(block).length;
        const text = block.repeat(Math.floor(size / length)) + "z".repeat(size % length);
        const bytes = new Uint8Array(size);
        for (let at = 0; at < size; at += 65536)
            crypto.getRandomValues(bytes.subarray(at, at + 65536));
        socket.send(text);
        socket.send(bytes);
        if ((await next()) !== text)
            wrong.push(`text of ${size}`);
        const reply = new Uint8Array(await next());
        let same = 0;
        while (same < reply.length && reply[same] === bytes[same])
            same++;
        if (reply.length !== size || same !== size)
            wrong.push(`bytes of ${size}`);
    }
    socket.close(1000);
    return { told, extensions: socket.extensions, wrong };
}

// Runs in the page: what the server says of its own accord, and many messages at once.
async function listen() {
    const command = await window.talk(["command"]);
    command.socket.send("fragments 1000");
    const fragments = await command.next();
    command.socket.send("burst 1000");
    let burst = 0;
    while (burst < 1000 && (await command.next()) === `${burst} ${"b".repeat(1000)}`)
        burst++;
    const { socket, next } = await window.talk(["echo"]);
    for (let i = 0; i < 500; i++)
        socket.send(`message ${i}, ${"much the same ".repeat(i)}`);
    let flood = 0;
    while (flood < 500 && (await next()) === `message ${flood}, ${"much the same ".repeat(flood)}`)
        flood++;
    command.socket.send("farewell 300000");
    const words = await command.next();
    socket.close(1000);
    return { fragments, burst, flood, words: words.length, code: (await command.closed).code };
}

async function checkServer(tab, url, answer, sizes) {
    const handshakes = [];
    const session = await tab.context().newCDPSession(tab);
    await session.send("Network.enable");
    session.on("Network.webSocketHandshakeResponseReceived", ({ response }) => handshakes.push(response));
    assert.equal((await tab.goto(`${url}hello.txt`)).status(), 200);
    const expected = ["permessage-deflate", answer].filter(Boolean).join("; ");
    const { told, extensions, wrong } = await tab.evaluate(echoAll, sizes);
    assert.deepEqual(wrong, []);
    assert.equal(told, "permessage-deflate");
    assert.equal(extensions, expected);
    const field = (headers) => Object.entries(headers)
        .find(([name]) => name.toLowerCase() === "sec-websocket-extensions")?.[1];
    assert.equal(field(handshakes[0].requestHeaders), `permessage-deflate; ${OFFER}`);
    assert.equal(field(handshakes[0].headers), expected);
    assert.deepEqual(await tab.evaluate(listen), {
        fragments: Array.from({ length: 1000 }, (_, i) => `${i} `).join(""),
        burst: 1000,
        flood: 500,
        words: 300000,
        code: 1000,
    });
    await session.detach();
}

await run(() => inBrowser(options.browser, authority, async (tab) => {
    for (const [, settings, , answer] of cases) {
        for (const [, url] of servers.filter(([name]) => name === settings)) {
            // Once: the debugger takes its time with messages like these.
            const large = options.large && settings === "takeover=3" && url.startsWith("https:");
            await step(`${new URL(url).protocol} [${settings}]${large ? ", 16 MiB" : ""}`, () =>
                checkServer(tab, url, answer, large ? [...SIZES, LARGE] : SIZES), STEP_MILLISECONDS);
        }
    }
}));
