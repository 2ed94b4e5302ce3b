// The proxy's routes, kept in a file (configurable-http-proxy --storage-backend): one that is started again, after a
// kill or a reboot, knows the way to every session before the hub has said anything. The hub then corrects them.
"use strict";

const fs = require("node:fs");
const path = require("node:path");

const program = fs.realpathSync(process.argv[1]);
const { MemoryStore } = require(path.join(path.dirname(program), "..", "lib", "store.js"));
const FILE = process.env.FABRIC_ROUTES;

module.exports = class KeptRoutes extends MemoryStore {
  constructor() {
    super();
    try {
      for (const [route, data] of Object.entries(JSON.parse(fs.readFileSync(FILE, "utf8")))) {
        super.add(route, { ...data, last_activity: new Date(data.last_activity) });
      }
    } catch (error) {
      if (error.code !== "ENOENT") console.error(`The kept routes are of no use, the hub gives new ones: ${error}`);
    }
  }

  add(route, data) {
    const done = super.add(route, data);
    this.keep();
    return done;
  }

  remove(route) {
    const done = super.remove(route);
    this.keep();
    return done;
  }

  // many changes at once, as when a hub starts, are written once; a disk that is full stops nobody's requests
  keep() {
    if (this.waiting) return;
    this.waiting = true;
    setImmediate(() => {
      this.waiting = false;
      try {
        fs.writeFileSync(`${FILE}.new`, JSON.stringify(this.routes), { mode: 0o600 });
        fs.renameSync(`${FILE}.new`, FILE);
      } catch (error) {
        console.error(`The routes cannot be kept for the next start of the proxy: ${error}`);
      }
    });
  }
};
