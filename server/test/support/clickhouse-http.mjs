// ClickHouse's HTTP interface in front of chDB, as far as @clickhouse/client uses it: for testing CLICKHOUSE_URL where no
// server can be had. The engine and its SQL are real; users, sessions, compression and settings in the URL are not.
// Usage: node clickhouse-http.mjs <folder>. Prints the port.
import http from "node:http";
import { Session } from "chdb";

const session = new Session(process.argv[2]);
const formats = { JSONEachRow: "application/x-ndjson", JSON: "application/json" };

const server = http.createServer((request, response) => {
  const chunks = [];
  request.on("data", (chunk) => chunks.push(chunk));
  request.on("end", () => {
    const url = new URL(request.url ?? "/", "http://localhost");
    if (url.pathname === "/ping") return response.end("Ok.\n");
    const sql = `${url.searchParams.get("query") ?? ""}${Buffer.concat(chunks).toString()}`;
    try {
      for (const [name, value] of url.searchParams) {
        if (name.startsWith("param_"))
          session.query(`SET ${name} = '${value.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`);
      }
      const format = /\bFORMAT (\w+)\s*$/.exec(sql)?.[1];
      const answer = session.query(
        format === undefined ? sql : sql.slice(0, sql.lastIndexOf("FORMAT")),
        format,
      );
      response.setHeader("content-type", formats[format] ?? "text/plain");
      response.end(answer);
    } catch (error) {
      const code = /Code: (\d+)/.exec(String(error.message))?.[1] ?? "1000";
      response.writeHead(500, { "x-clickhouse-exception-code": code });
      response.end(String(error.message));
    }
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.on("SIGTERM", () => {
  session.close?.();
  process.exit(0);
});
