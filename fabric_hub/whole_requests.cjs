// Preloaded into the proxy (node --require): it passes on no request whose end the next server would see elsewhere.
// http-proxy-3 takes the framing off a DELETE or OPTIONS without Content-Length, and sends its chunked body all the
// same: hub or session would read it as the next request on that connection, which is another person's.
"use strict";

const http = require("node:http");
const https = require("node:https");

const UNFRAMED = new Set(["DELETE", "OPTIONS"]);

for (const { prototype } of [http.Server, https.Server]) {
  const emit = prototype.emit;
  prototype.emit = function (event, request, response) {
    if (event === "request" && UNFRAMED.has(request.method) && "transfer-encoding" in request.headers) {
      response.writeHead(411, { "Content-Length": 0, Connection: "close" }).end();
      return true;
    }
    return emit.apply(this, arguments);
  };
}
