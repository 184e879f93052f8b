// Runs a program given on stdin that imports our TypeScript sources: for tests that need a process of their own to kill.
import { existsSync, readFileSync } from "node:fs";
import { createRequire, register } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { isMainThread } from "node:worker_threads";

const typescript = createRequire(import.meta.url)("typescript");

export async function resolve(specifier, context, next) {
  if (specifier.startsWith(".") && specifier.endsWith(".js") && context.parentURL?.endsWith(".ts")) {
    const source = new URL(`${specifier.slice(0, -3)}.ts`, context.parentURL);
    if (existsSync(source)) return { url: source.href, shortCircuit: true };
  }
  return next(specifier, context);
}

export async function load(url, context, next) {
  if (!url.startsWith("file:") || !url.endsWith(".ts")) return next(url, context);
  const { outputText } = typescript.transpileModule(readFileSync(fileURLToPath(url), "utf8"), {
    // Not es2023: there TypeScript 6.0 turns a class's `static zero = new Decimal()` into a constructor that is not there.
    compilerOptions: { target: "esnext", module: "esnext", verbatimModuleSyntax: true },
  });
  return { format: "module", source: outputText, shortCircuit: true };
}

if (isMainThread) {
  register(import.meta.url);
  const program = readFileSync(0, "utf8");
  await import(
    `data:text/javascript,${encodeURIComponent(program.replaceAll(/import\("(\/[^"]+)"\)/g, (_, path) => `import("${pathToFileURL(path).href}")`))}`
  );
}
