export type LogLevel = "debug" | "info" | "warn" | "error" | "silent";

type Fields = Readonly<Record<string, unknown>>;

/** The process's own log. Fields never hold secrets or customers' data. */
export interface Log {
  debug(message: string, fields?: Fields): void;
  info(message: string, fields?: Fields): void;
  warn(message: string, fields?: Fields): void;
  error(message: string, fields?: Fields): void;
}

const order: Record<LogLevel, number> = { debug: 0, info: 1, warn: 2, error: 3, silent: 4 };

/** Logs to stderr: lines for people on a terminal, JSON lines otherwise. */
export function createLog(level: LogLevel, stream: NodeJS.WriteStream = process.stderr): Log {
  const write =
    (at: LogLevel) =>
    (message: string, fields: Fields = {}) => {
      if (order[at] < order[level]) return;
      const time = new Date().toISOString();
      if (stream.isTTY) {
        const rest = Object.entries(fields).map(
          ([name, value]) => ` ${name}=${toText(value) ?? "(no JSON)"}`,
        );
        stream.write(`${time.slice(11, 19)} ${at.padEnd(5)} ${message}${rest.join("")}\n`);
      } else {
        const line = toText({ ...fields, time, level: at, message }) ?? toText({ time, level: at, message });
        stream.write(`${line}\n`);
      }
    };
  return { debug: write("debug"), info: write("info"), warn: write("warn"), error: write("error") };
}

/** JSON, or undefined where there is none: a line of the log must not fail what it reports. */
function toText(value: unknown): string | undefined {
  try {
    return JSON.stringify(value, (_, item: unknown) => {
      if (typeof item === "bigint") return item.toString();
      return item instanceof Error ? (item.stack ?? item.message) : item;
    });
  } catch {
    return undefined; // a circle
  }
}

/** For tests and programs that want no log. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
