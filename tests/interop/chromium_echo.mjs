// Has Debian's Chromium talk to tests/interop/server.c over https and wss. It verifies the server's
// certificate as it always does: the authority is put into the certificate store of a home of its
// own.
//
// Usage: node chromium_echo.mjs [--browser PROGRAM] URL CA
// URL is https://localhost:PORT/, with the files of run.sh behind it; CA is the authority's file.
import assert from "node:assert/strict";
import { parseArgs } from "node:util";
import { inBrowser, run, step } from "./chromium_browser.mjs";

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
    await step("compression is declined", async () => {
        const extensions = await tab.evaluate(async () => {
            const { socket } = await window.talk();
            socket.close();
            return socket.extensions;
        });
        assert.equal(extensions, "");
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

await run(async () => {
    await inBrowser(options.browser, null, (tab) => step("an authority that is not trusted", () =>
        assert.rejects(tab.goto(`${url}hello.txt`), /ERR_CERT_AUTHORITY_INVALID/)));
    await inBrowser(options.browser, authority, runTrusting);
});
