// Preloaded into the proxy (node --require): it listens on the socket that it was started with.
// configurable-http-proxy takes an address and a port only; FABRIC_HELD_PORT is [descriptor, port, address].
"use strict";

const net = require("node:net");

const [fd, port, address] = JSON.parse(process.env.FABRIC_HELD_PORT);
delete process.env.FABRIC_HELD_PORT;

const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (...args) {
  return args[0] === port && args[1] === address ? listen.call(this, { fd }) : listen.apply(this, args);
};
