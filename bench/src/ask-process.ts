import { fork } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Runs a module of the bench in a process of its own: sends it one message and takes its one answer. */
export function askProcess<Answer>(module: string, message: object): Promise<Answer> {
  const child = fork(fileURLToPath(new URL(module, import.meta.url)), {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  return new Promise((resolve, reject) => {
    child.once("message", (answer: { result: Answer } | { error: string }) => {
      if ("error" in answer) reject(new Error(`${module}: ${answer.error}`));
      else resolve(answer.result);
    });
    child.once("error", reject);
    child.once("exit", (code) => reject(new Error(`${module} ended with ${code} and no answer`)));
    child.send(message);
  });
}
