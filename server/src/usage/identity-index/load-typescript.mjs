// Lets a worker thread run this folder's TypeScript when tests run from source; the build does not need it.
import { register } from "node:module";

const hooks = `
import { readFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { transform } from ${JSON.stringify(import.meta.resolve("rolldown/utils"))};
export async function resolve(specifier, context, next) {
  if (specifier.startsWith(".") && specifier.endsWith(".js") && context.parentURL?.endsWith(".ts")) {
    const url = new URL(specifier.replace(/js$/, "ts"), context.parentURL);
    if (existsSync(url)) return { url: url.href, format: "module", shortCircuit: true };
  }
  return next(specifier, context);
}
export async function load(url, context, next) {
  if (!url.endsWith(".ts")) return next(url, context);
  const { code, errors } = await transform(fileURLToPath(url), await readFile(fileURLToPath(url), "utf8"));
  if (errors.length > 0) throw errors[0];
  return { format: "module", source: code, shortCircuit: true };
}`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
