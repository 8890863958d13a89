// Presses an alarm as a device and prints, one JSON object a line, what it is told.
// Arguments: broker URL, device id, topic to write, topic to read, file of {ca, cert, key, password} as JSON.
import { readFileSync } from "node:fs";
import mqtt from "mqtt";

const [url, device, write, read, optionsFile] = process.argv.slice(2);
const given = JSON.parse(readFileSync(optionsFile, "utf8"));
const pem = (name) => (given[name] ? { [name]: readFileSync(given[name]) } : {});
const client = mqtt.connect(url, {
  clientId: device,
  username: given.password ? device : undefined,
  password: given.password,
  protocolVersion: given.version ?? 5,
  reconnectPeriod: 0,
  connectTimeout: 8000,
  ...pem("ca"),
  ...pem("cert"),
  ...pem("key"),
});
const say = (what, more = {}) => console.log(JSON.stringify({ what, ...more }));
const end = (code) => client.end(true, {}, () => process.exit(code));

client.on("error", (error) => {
  say("error", { code: error.code ?? null, message: error.message });
  process.exit(1);
});
client.on("message", (topic, payload) => {
  say("message", { topic, payload: payload.toString() });
  end(0);
});
client.on("connect", () => {
  say("connected");
  client.subscribe(read, { qos: 1 }, (refused, granted) => {
    say("subscribed", { refused: refused?.message ?? null, granted: (granted ?? []).map((one) => one.qos) });
    const body = JSON.stringify({ ref: "js-1", type: "sos", observed_at: new Date().toISOString() });
    client.publish(write, body, { qos: 1 }, (error, packet) => {
      say("published", { error: error?.message ?? null, reason: packet?.reasonCode ?? null });
      setTimeout(() => end(0), Number(given.wait_ms ?? 5000));
    });
  });
});
