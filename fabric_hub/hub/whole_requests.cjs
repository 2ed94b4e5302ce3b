// Preloaded into the proxy (node --require): no request that it passes on ends elsewhere than the next server sees, or
// stays open for nobody.
// http-proxy-3 takes the framing off a DELETE or OPTIONS without Content-Length, and sends its chunked body all the
// same: hub or session would read it as the next request on that connection, which is another person's. Of a request
// for a WebSocket it sends no body at all, however long one is said to come, and does not see its sender leave before
// there is an answer: the server would wait for that body, and the proxy for the server, without an end.
"use strict";

const http = require("node:http");
const https = require("node:https");

const UNFRAMED = new Set(["DELETE", "OPTIONS"]);
// Jupyter answers a request for a kernel's WebSocket when it has heard the kernel, for which it waits up to a minute.
const UPGRADE_S = Number(process.env.FABRIC_UPGRADE_S || 120);

const chunked = (request) => "transfer-encoding" in request.headers;
const hasBody = (request) => chunked(request) || Number(request.headers["content-length"] || 0) !== 0;

for (const { prototype } of [http.Server, https.Server]) {
  const emit = prototype.emit;
  prototype.emit = function (event, request, answer) {
    if (event === "request" && UNFRAMED.has(request.method) && chunked(request)) {
      answer.writeHead(411, { "Content-Length": 0, Connection: "close" }).end();
      return true;
    }
    if (event === "upgrade" && hasBody(request)) {
      answer.end("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
      answer.destroySoon();
      return true;
    }
    return emit.apply(this, arguments);
  };
}

for (const library of [http, https]) {
  const request = library.request;
  library.request = function () {
    const made = request.apply(this, arguments);
    if (made.getHeader("upgrade")) {
      const late = setTimeout(() => made.destroy(new Error(`no answer within ${UPGRADE_S} s`)), UPGRADE_S * 1000);
      for (const end of ["response", "upgrade", "close"]) made.once(end, () => clearTimeout(late));
    }
    return made;
  };
}
