import type { FastifyInstance } from "fastify";

const page = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Weir</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 16px/1.6 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; }
  h1 { font-weight: 600; } code { font-size: .9em; } a { color: inherit; }
</style>
<h1>Weir is running</h1>
<p>Usage in, answers and explained amounts out.</p>
<ul>
  <li><a href="/graphql">GraphQL playground</a>: put your key in the headers, as <code>{"Authorization": "Bearer …"}</code></li>
  <li>Send usage: <code>POST /v1/events</code> (CloudEvents), or OpenMeter's SDK with this address</li>
  <li>From a terminal: <code>npx weir --help</code></li>
  <li><a href="/metrics">Metrics</a> · <a href="/readyz">Readiness</a></li>
</ul>
</html>
`;

/** What a browser sees at / until the console is there. */
export function registerWelcomePage(app: FastifyInstance): void {
  app.get("/", (_request, reply) => reply.header("content-type", "text/html; charset=utf-8").send(page));
}
