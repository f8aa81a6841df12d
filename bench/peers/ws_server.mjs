// What bench/server.c does, with Node and ws. Usage: node ws_server.mjs DIRECTORY [SETTING=VALUE…],
// in a folder in which ws is installed. The settings of permessage-deflate are level and takeover.
import { createReadStream, stat } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import path from "node:path";

const require = createRequire(path.join(process.cwd(), "node_modules"));
const { WebSocketServer } = require("ws");
const directory = process.argv[2];

const server = createServer((request, response) => {
    const file = path.join(directory, path.normalize(request.url));
    stat(file, (error, status) => {
        if (error || !status.isFile()) {
            response.writeHead(404).end();
            return;
        }
        response.writeHead(200, {
            "Content-Type": "application/octet-stream",
            "Content-Length": status.size,
            "Last-Modified": status.mtime.toUTCString(),
        });
        createReadStream(file).pipe(response);
    });
});

const settings = new Map(process.argv.slice(3).map((setting) => setting.split("=")));
const forgets = settings.get("takeover") !== "1";
const perMessageDeflate = settings.size > 0 && {
    zlibDeflateOptions: { level: Number(settings.get("level") ?? 6), memLevel: 8 },
    serverNoContextTakeover: forgets,
    clientNoContextTakeover: forgets,
    threshold: 256,
};

new WebSocketServer({ server, perMessageDeflate }).on("connection", (socket) => {
    socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on("error", () => socket.terminate());
});

server.listen(0, "127.0.0.1", 1024, () => console.log(server.address().port));
process.stdin.resume().on("end", () => process.exit(0));
