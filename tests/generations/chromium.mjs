// Has Debian's Chromium load a page from a program of each generation, whose script talks to it.
//
// Usage: node chromium.mjs [--browser PROGRAM] FOLDER
// FOLDER is where generations.py --build has put the programs.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import net from "node:net";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { inBrowser, run, step } from "../interop/chromium_browser.mjs";

const MILLISECONDS = 30000;
const PAGE = fileURLToPath(new URL("page.html", import.meta.url));

// What each is started with, behind the port; where it has the page; what the page is to do, and
// the lines that it shows.
const PROGRAMS = [
    {
        name: "gen1_counter-20101218",
        words: () => [PAGE, "50"],
        does: ["counter"],
        lines: Array.from({ length: 50 }, (_, number) => `${number}`),
    },
    { name: "gen2_server-20110212", words: () => [PAGE], does: ["reverse", "stressed"], lines: ["desserts"] },
    { name: "gen3_poll-20110221", words: () => ["1", PAGE], does: ["echo", "one", "two"], lines: ["one", "two"] },
    {
        name: "gen4_server-20130115",
        words: (taken) => [`${taken}`, PAGE, "1"],
        does: ["shout", "hey"],
        lines: ["127.0.0.1: hey"],
    },
    {
        name: "gen5_server-20130316",
        words: () => [PAGE, "1"],
        page: "index.html",
        does: ["lines", "write and go"],
        lines: ["text write and go"],
        title: "closed 1000",
    },
];

const { values: options, positionals } = parseArgs({
    options: { browser: { type: "string", default: "/usr/bin/chromium" } },
    allowPositionals: true,
});
const [folder] = positionals;
if (!folder) {
    console.error("usage: chromium.mjs [--browser PROGRAM] FOLDER");
    process.exit(2);
}

async function listenSomewhere() {
    const listener = net.createServer((socket) => socket.destroy()).listen(0);
    await once(listener, "listening");
    return listener;
}

async function freePort() {
    const listener = await listenSomewhere();
    const { port } = listener.address();
    listener.close();
    await once(listener, "close");
    return port;
}

// A connection that the program hangs up on, or not, says that it listens: gen3_poll's first one.
async function listens(port) {
    for (const end = Date.now() + MILLISECONDS; ; ) {
        const socket = net.connect(port, "127.0.0.1");
        try {
            await once(socket, "connect");
            return;
        } catch (error) {
            assert.ok(Date.now() < end, `nobody listens: ${error.message}`);
            await new Promise((resolve) => setTimeout(resolve, 50));
        } finally {
            socket.destroy();
        }
    }
}

async function talk(tab, { name, words, page = "", does, lines, title = "open" }) {
    const taken = await listenSomewhere();
    const port = await freePort();
    const child = spawn(path.join(folder, `${name}-gcc`), [`${port}`, ...words(taken.address().port)], {
        stdio: ["ignore", "ignore", "inherit"],
    });
    const ended = once(child, "exit");
    try {
        await listens(port);
        const response = await tab.goto(`http://127.0.0.1:${port}/${page}#${encodeURIComponent(does.join())}`);
        assert.equal(response.status(), 200);
        await tab.waitForFunction((count) => document.querySelectorAll("li").length >= count, lines.length);
        await tab.waitForFunction((title) => document.title === title, title);
        assert.deepEqual(await tab.locator("li").allTextContents(), lines);
        await tab.goto("about:blank");
        const [code, signal] = await ended;
        assert.equal(code ?? signal, 0);
    } finally {
        child.kill("SIGKILL");
        taken.close();
    }
}

await run(() => inBrowser(options.browser, null, async (tab) => {
    for (const program of PROGRAMS)
        await step(program.name, () => talk(tab, program), 2 * MILLISECONDS);
}));
