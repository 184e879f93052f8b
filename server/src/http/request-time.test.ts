import { once } from "node:events";
import { connect, type AddressInfo } from "node:net";
import Fastify from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { limitRequestTime } from "./request-time.js";

const app = Fastify();
beforeAll(async () => {
  limitRequestTime(app, 100);
  app.addContentTypeParser("*", { parseAs: "string" }, (_request, body, done) => done(null, body));
  app.post("/event", (request) => String(request.body));
  app.post("/file", { config: { isUpload: () => true } }, (request) => String(request.body));
  await app.listen({ port: 0, host: "127.0.0.1" });
});
afterAll(() => app.close());

/** Sends half of a body, the other half 300 ms later, and gives the answer's first line. */
async function sendSlowly(path: string): Promise<string> {
  const socket = connect((app.server.address() as AddressInfo).port, "127.0.0.1");
  let answer = "";
  socket.on("data", (chunk: Buffer) => (answer += chunk.toString()));
  socket.on("error", () => undefined);
  const closed = once(socket, "close");
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: a/b\r\ncontent-length: 4\r\n\r\nab`,
  );
  setTimeout(() => socket.write("cd"), 300);
  await closed;
  return answer.split("\r\n", 1)[0] ?? "";
}

test("a request that does not arrive in time is ended with 408, a file may take longer", async () => {
  expect(await sendSlowly("/event")).toBe("HTTP/1.1 408 Request Timeout");
  expect(await sendSlowly("/file")).toBe("HTTP/1.1 200 OK");
});
