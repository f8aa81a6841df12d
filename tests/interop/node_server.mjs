// The server of Node's ws that tests/interop/client.c talks to. What it does and prints is told in
// python_server.py, which is the same in Python.
//
// Usage: node node_server.mjs [--tls DIRECTORY] [--certificate NAME,…] [--keepalive]
//                             [--client-ca] [--tls-version TLSv1.1|TLSv1.2|TLSv1.3]
//                             [--compress] [--deflate JSON]…
//
// There is a port, and a first line, for each certificate, and for each --deflate, which is what ws
// takes as perMessageDeflate. --client-ca demands a client's certificate; with --tls-version no
// other version is spoken. For each TLS connection there is a line "tls VERSION new|resumed ALPN
// SERVERNAME CLIENT" ("-" for what there is not).
import { once } from "node:events";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import { parseArgs } from "node:util";
import { PerMessageDeflate, WebSocketServer } from "ws";

const MEBIBYTE = 1024 * 1024;

const { values: options } = parseArgs({
    options: {
        tls: { type: "string" },
        certificate: { type: "string", default: "server" },
        "client-ca": { type: "boolean", default: false },
        "tls-version": { type: "string" },
        keepalive: { type: "boolean", default: false },
        compress: { type: "boolean", default: false },
        deflate: { type: "string", multiple: true },
    },
});

function makeServer(certificate) {
    if (!options.tls)
        return http.createServer();
    const read = (name) => readFileSync(path.join(options.tls, name));
    const version = options["tls-version"];
    const server = https.createServer({
        cert: read(`${certificate}.pem`),
        key: read(`${certificate}.key`),
        ca: read("root.pem"),
        requestCert: options["client-ca"],
        rejectUnauthorized: options["client-ca"],
        ALPNProtocols: ["h2", "http/1.1"],
        ...(version ? { minVersion: version, maxVersion: version } : {}),
        // OpenSSL speaks versions before 1.2 at this level only.
        ...(version === "TLSv1.1" ? { ciphers: "DEFAULT@SECLEVEL=0" } : {}),
    });
    server.on("secureConnection", (socket) => {
        const reused = socket.isSessionReused() ? "resumed" : "new";
        const client = socket.getPeerCertificate().subject?.CN ?? "-";
        const alpn = socket.alpnProtocol || "-";
        const name = socket.servername || "-";
        console.log(`tls ${socket.getProtocol()} ${reused} ${alpn} ${name} ${client}`);
    });
    server.on("tlsClientError", (error) => console.log(`tls-error ${error.code}`));
    return server;
}

function obey(socket, request, line) {
    const [, name, argument] = /^(\S*) ?(.*)$/s.exec(line);
    const count = Number(argument);
    switch (name) {
    case "close": {
        const [, code, reason] = /^(\d*) ?(.*)$/s.exec(argument);
        socket.close(code === "" ? undefined : Number(code), reason);
        break;
    }
    case "vanish":
        socket.terminate();
        break;
    case "ping":
        socket.once("pong", (data) => socket.send(`pong ${data}`));
        socket.ping(argument);
        break;
    case "say":
        socket.send(argument);
        break;
    case "fragments":
        for (let i = 0; i < count; i++)
            socket.send(`${i} `, { fin: i + 1 === count });
        break;
    case "burst":
        for (let i = 0; i < count; i++)
            socket.send(`${i} ${"b".repeat(1000)}`);
        socket.close(1000);
        break;
    case "farewell":
        socket.send("f".repeat(count));
        socket.close(1000);
        break;
    case "header":
        socket.send(request.headers[argument.toLowerCase()] ?? "none");
        break;
    case "path":
        socket.send(request.url);
        break;
    default:
        socket.close(1008, "unknown command");
    }
}

// Each connection's compressed messages, and the bytes they had and have.
const originalDecompress = PerMessageDeflate.prototype.decompress;
PerMessageDeflate.prototype.decompress = function (data, fin, callback) {
    this.traffic ??= { messages: 0, packed: 0, unpacked: 0 };
    this.traffic.messages += fin ? 1 : 0;
    this.traffic.packed += data.length;
    originalDecompress.call(this, data, fin, (error, result) => {
        this.traffic.unpacked += result?.length ?? 0;
        callback(error, result);
    });
};

function tellCompression(socket, request, answer, count) {
    const extension = socket._extensions[PerMessageDeflate.extensionName];
    const { messages, packed, unpacked } = extension?.traffic ?? { messages: 0, packed: 0, unpacked: 0 };
    const offer = request.headers["sec-websocket-extensions"] ?? "-";
    console.log(`deflate ${request.url} [${offer}] [${answer ?? "-"}] ${messages} ${count} ${packed} ${unpacked}`);
}

function serve(socket, request, answer) {
    let count = 0;
    const pings = options.keepalive ? setInterval(() => socket.ping("alive"), 50) : null;
    socket.on("message", (data, binary) => {
        count += 1;
        if (socket.protocol === "command")
            obey(socket, request, data.toString());
        else
            socket.send(data, { binary });
    });
    socket.on("error", (error) => console.log(`error ${error.message}`));
    socket.on("close", (code, reason) => {
        clearInterval(pings);
        if (options.deflate)
            tellCompression(socket, request, answer, count);
        console.log(code === 1006 ? "vanished" : `closed ${code} ${reason}`);
    });
}

async function listen(certificate, perMessageDeflate) {
    const server = makeServer(certificate);
    const sockets = new WebSocketServer({
        server,
        perMessageDeflate,
        maxPayload: 16 * MEBIBYTE,
        handleProtocols: (offered) => ["second", "echo", "command"].find((name) => offered.has(name)) ?? false,
    });
    const answers = new WeakMap();
    sockets.on("headers", (lines, request) => {
        const field = lines.find((line) => line.startsWith("Sec-WebSocket-Extensions: "));
        answers.set(request, field?.replace(/^\S+ /, ""));
    });
    sockets.on("connection", (socket, request) => serve(socket, request, answers.get(request)));
    server.on("request", (_request, response) => response.writeHead(426).end());
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    console.log(server.address().port);
}

for (const certificate of options.certificate.split(",")) {
    for (const deflate of options.deflate?.map(JSON.parse) ?? [options.compress])
        await listen(certificate, deflate);
}
process.stdin.resume().on("end", () => process.exit(0));
