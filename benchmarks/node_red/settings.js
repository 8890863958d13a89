// Node-RED as its manual starts it, without editor and without context on disk: it does nothing here but its flow.
const { Pool } = require("pg");

module.exports = {
  uiPort: Number(process.env.PEER_PORT),
  uiHost: "127.0.0.1",
  httpAdminRoot: false,
  httpNodeRoot: false,
  credentialSecret: false,
  flowFile: "flows.json",
  logging: { console: { level: "warn", metrics: false, audit: false } },
  functionGlobalContext: { pool: new Pool({ connectionString: process.env.PEER_DATABASE, max: 10 }) },
};
