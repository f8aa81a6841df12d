// Has Debian's Chromium talk to tests/interop/server.c over https and wss. It verifies the server's
// certificate as it always does: the authority is put into the certificate store of a home of its
// own.
//
// Usage: node chromium_echo.mjs [--browser PROGRAM] URL CA
// URL is https://localhost:PORT/, with the files of run.sh behind it; CA is the authority's file.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { parseArgs, promisify } from "node:util";
import { chromium } from "playwright-core";

const STEP_MILLISECONDS = 30000;
const SIZES = [0, 1, 125, 126, 4096, 16384, 65535, 65536, 65537, 1024 * 1024];

const { values: options, positionals } = parseArgs({
    options: { browser: { type: "string", default: "/usr/bin/chromium" } },
    allowPositionals: true,
});
const [url, authority] = positionals;
if (!url || !authority) {
    console.error("usage: chromium_echo.mjs [--browser PROGRAM] URL CA");
    process.exit(2);
}

let passed = 0;
let failed = 0;

async function step(name, action) {
    let late;
    try {
        const timeUp = new Promise((_resolve, reject) => {
            late = setTimeout(() => reject(new Error("timed out")), STEP_MILLISECONDS);
        });
        await Promise.race([action(), timeUp]);
        passed += 1;
        console.log(`ok      ${name}`);
    } catch (error) {
        failed += 1;
        console.log(`FAILED  ${name}\n        ${String(error.message).replaceAll("\n", "\n        ")}`);
    }
    clearTimeout(late);
}

// A browser with a home in a folder of its own, which trusts our authority or does not.
async function open(home, trusting) {
    const store = path.join(home, ".pki", "nssdb");
    await mkdir(store, { recursive: true });
    const certutil = (...parameters) => promisify(execFile)("certutil", ["-d", `sql:${store}`, ...parameters]);
    await certutil("-N", "--empty-password");
    if (trusting)
        await certutil("-A", "-n", "tests", "-t", "C,,", "-i", authority);
    return chromium.launch({
        executablePath: options.browser,
        headless: true,
        timeout: 60000,
        env: { ...process.env, HOME: home, XDG_CONFIG_HOME: home, XDG_CACHE_HOME: home },
        args: [
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
        ],
    });
}

// Runs in the page: WebSockets whose messages can be waited for one by one.
function defineTalk() {
    window.talk = (protocols = []) => {
        const socket = new WebSocket(location.href.replace(/^http/, "ws"), protocols);
        const arrived = [];
        const waiting = [];
        socket.binaryType = "arraybuffer";
        const take = (item) => (waiting.length > 0 ? waiting.shift()(item) : arrived.push(item));
        socket.onmessage = (event) => take(event.data);
        const closed = new Promise((resolve) => {
            socket.onclose = ({ code, reason, wasClean }) => {
                take(null);
                resolve({ code, reason, wasClean });
            };
        });
        const next = () =>
            arrived.length > 0 ? arrived.shift() : new Promise((resolve) => waiting.push(resolve));
        return new Promise((resolve, reject) => {
            socket.onopen = () => resolve({ socket, next, closed });
            socket.onerror = () => reject(new Error("the WebSocket did not open"));
        });
    };
}

async function runTrusting(tab) {
    await step("a page over https", async () => {
        const response = await tab.goto(`${url}hello.txt`);
        assert.equal(response.status(), 200);
        assert.equal(await response.text(), "hello, file\n");
        const security = await response.securityDetails();
        assert.equal(security.protocol, "TLS 1.3");
        assert.equal(security.subjectName, "server");
        assert.equal(security.issuer, "lwsloop tests intermediate");
        assert.ok(await tab.evaluate(() => window.isSecureContext));
    });
    await step("a large file", async () => {
        const lengths = await tab.evaluate(async () => {
            const response = await fetch("/large.bin", { cache: "no-store" });
            return [Number(response.headers.get("content-length")), (await response.arrayBuffer()).byteLength];
        });
        assert.deepEqual(lengths, [3000001, 3000001]);
    });
    await step("text of every size", async () => {
        const wrong = await tab.evaluate(async (sizes) => {
            const { socket, next } = await window.talk();
            const wrong = [];
            for (const size of sizes) {
                const text = "aä€😀".repeat(size / 10) + "z".repeat(size % 10);
                socket.send(text);
                if ((await next()) !== text)
                    wrong.push(size);
            }
            socket.close();
            return wrong;
        }, SIZES);
        assert.deepEqual(wrong, []);
    });
    await step("binary of every size", async () => {
        const wrong = await tab.evaluate(async (sizes) => {
            const { socket, next } = await window.talk();
            const wrong = [];
            for (const size of sizes) {
                const bytes = Uint8Array.from({ length: size }, (_, i) => i * 31 + (i >> 8));
                socket.send(bytes);
                const reply = new Uint8Array(await next());
                if (reply.length !== size || !reply.every((byte, i) => byte === bytes[i]))
                    wrong.push(size);
            }
            socket.close();
            return wrong;
        }, SIZES);
        assert.deepEqual(wrong, []);
    });
    await step("subprotocols", async () => {
        const chosen = await tab.evaluate(async () => {
            const { socket } = await window.talk(["unknown", "second", "echo"]);
            socket.close();
            return socket.protocol;
        });
        assert.equal(chosen, "second");
    });
    await step("connections side by side", async () => {
        const good = await tab.evaluate(async () => {
            const talks = await Promise.all(Array.from({ length: 30 }, () => window.talk()));
            const replies = await Promise.all(talks.map(({ socket, next }, number) => {
                socket.send(`number ${number}`);
                return next();
            }));
            talks.forEach(({ socket }) => socket.close());
            return replies.filter((reply, number) => reply === `number ${number}`).length;
        });
        assert.equal(good, 30);
    });
    await step("a burst of the server", async () => {
        const order = await tab.evaluate(async () => {
            const { socket, next } = await window.talk(["command"]);
            socket.send("burst 3000");
            for (let i = 0; i < 3000; i++) {
                if (!(await next()).startsWith(`${i} `))
                    return i;
            }
            socket.close();
            return 3000;
        });
        assert.equal(order, 3000);
    });
    await step("closes of the server", async () => {
        for (const [code, reason] of [[1000, "done"], [1001, "restart"], [4001, "€".repeat(41)]]) {
            const end = await tab.evaluate(async (line) => {
                const { socket, closed } = await window.talk(["command"]);
                socket.send(line);
                return closed;
            }, `close ${code} ${reason}`);
            assert.deepEqual(end, { code, reason, wasClean: true });
        }
    });
    await step("closes of the browser", async () => {
        const end = await tab.evaluate(async () => {
            const observer = await window.talk(["command"]);
            const { socket, closed } = await window.talk(["echo"]);
            socket.close(4002, "own words");
            const { code, wasClean } = await closed;
            let seen;
            do {
                observer.socket.send("closes");
                seen = await observer.next();
            } while (!seen.includes("4002"));
            observer.socket.close();
            return { code, wasClean, seen: seen.replace(/^\d+ /, "") };
        });
        assert.deepEqual(end, { code: 4002, wasClean: true, seen: "4002 own words" });
    });
}

async function run(home) {
    let browser;
    const inBrowser = async (name, trusting, action) => {
        try {
            browser = await open(path.join(home, name), trusting);
            const tab = await browser.newPage();
            tab.setDefaultTimeout(STEP_MILLISECONDS);
            await tab.addInitScript(defineTalk);
            await action(tab);
        } finally {
            await browser?.close();
        }
    };
    await inBrowser("stranger", false, (tab) => step("an authority that is not trusted", () =>
        assert.rejects(tab.goto(`${url}hello.txt`), /ERR_CERT_AUTHORITY_INVALID/)));
    await inBrowser("trusting", true, runTrusting);
}

const home = await mkdtemp(path.join(os.tmpdir(), "lwsloop-chromium-"));
try {
    await run(home);
} catch (error) {
    failed += 1;
    console.log(`FAILED  ${error.message}`);
} finally {
    await rm(home, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
