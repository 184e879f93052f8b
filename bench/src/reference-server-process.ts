import { createServer } from "node:http";

// What Node's own HTTP server does on this machine when nothing is checked, stored or synced: reads the body, answers.
const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    response.writeHead(204);
    response.end();
  });
});

process.once("message", () => {
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    process.send?.({ result: address !== null && typeof address === "object" ? address.port : 0 });
  });
});
process.once("disconnect", () => process.exit(0));
