import { parentPort, workerData } from "node:worker_threads";
import { IdentityIndexDamaged } from "./manifest.js";
import { RunCollection } from "./run-collection.js";
import { openRunDatabase } from "./run-store.js";
import type { FromWriter, Question, ToWriter, WriterData } from "./writer-messages.js";

// The worker thread of the identity index: sorting, writing, syncing, merging and letting go happen here, so that
// the thread that answers requests never waits for a disk.

const retry_ms = 5_000;

if (parentPort === null) throw new Error("index-writer runs in a worker thread");
const port = parentPort;
const { dir } = workerData as WriterData; // given by writer-thread.ts alone
const database = openRunDatabase(dir);
let backgroundScheduled = false;

function post(message: FromWriter): void {
  const filters = message.kind === "changed" ? message.added.map(({ filter }) => filter.buffer) : [];
  port.postMessage(message, filters);
}

function fail(error: unknown, id?: number): void {
  const message = error instanceof Error ? error.message : String(error);
  post({
    kind: "failed",
    ...(id === undefined ? {} : { id }),
    message,
    damaged: error instanceof IdentityIndexDamaged,
  });
}

const runs = new RunCollection(database, post);

function scheduleBackground(): void {
  if (backgroundScheduled) return;
  backgroundScheduled = true;
  setImmediate(() => {
    backgroundScheduled = false;
    try {
      if (runs.workInBackground()) scheduleBackground();
    } catch (error) {
      fail(error);
      setTimeout(scheduleBackground, retry_ms).unref();
    }
  });
}

function answer(question: Question): void {
  const done = (count: number): void => post({ kind: "answer", id: question.id, count });
  switch (question.kind) {
    case "append":
      runs.append(question.entries);
      return done(0);
    case "erase":
      runs.erase(question.keys);
      return done(0);
    case "sweep":
      return runs.sweep(question.expiredSeconds, done);
    case "complete":
      runs.markComplete();
      return done(0);
    case "close":
      void database.close().then(() => {
        done(0);
        port.close();
      });
  }
}

port.on("message", (message: ToWriter) => {
  if (message.kind === "released") {
    runs.release(message.runs);
  } else {
    try {
      answer(message);
    } catch (error) {
      fail(error, message.id);
    }
    if (message.kind === "close") {
      backgroundScheduled = true; // nothing may follow
      return;
    }
  }
  scheduleBackground();
});
scheduleBackground();
