// Debian's Chromium for the scripts here: its tabs, and steps that are counted.
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { chromium } from "playwright-core";

const STEP_MILLISECONDS = 30000;

let passed = 0;
let failed = 0;

export async function step(name, action, milliseconds = STEP_MILLISECONDS) {
    let late;
    try {
        const timeUp = new Promise((_resolve, reject) => {
            late = setTimeout(() => reject(new Error("timed out")), milliseconds);
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

// A browser with a home in a folder of its own, which trusts the authority if there is one.
async function open(program, home, authority) {
    const store = path.join(home, ".pki", "nssdb");
    await mkdir(store, { recursive: true });
    const certutil = (...parameters) => promisify(execFile)("certutil", ["-d", `sql:${store}`, ...parameters]);
    await certutil("-N", "--empty-password");
    if (authority)
        await certutil("-A", "-n", "tests", "-t", "C,,", "-i", authority);
    return chromium.launch({
        executablePath: program,
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

// Has the action do with a tab of a new browser.
export async function inBrowser(program, authority, action) {
    const home = await mkdtemp(path.join(os.tmpdir(), "lwsloop-chromium-"));
    let browser;
    try {
        browser = await open(program, home, authority);
        const tab = await browser.newPage();
        tab.setDefaultTimeout(STEP_MILLISECONDS);
        await tab.addInitScript(defineTalk);
        await action(tab);
    } finally {
        await browser?.close();
        await rm(home, { recursive: true, force: true });
    }
}

// What a script does, and its end.
export async function run(action) {
    try {
        await action();
    } catch (error) {
        failed += 1;
        console.log(`FAILED  ${error.message}`);
    }
    console.log(`${passed} passed, ${failed} failed`);
    process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
}
