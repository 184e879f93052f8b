import { connect, type Socket } from "node:net";

/** An HTTP/1.1 connection with one request in flight, on a bare socket: a fifth of a client library's cost. */
export class Connection {
  readonly #socket: Socket;
  #received = "";
  #settle: ((status: number) => void) | undefined;
  #fail: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.setEncoding("latin1");
    socket.on("data", (text: string) => this.#receive(text));
    socket.on("error", (error) => this.#fail?.(error));
    socket.on("close", () => this.#fail?.(new Error("the server closed the connection")));
  }

  static open(port: number): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => resolve(new Connection(socket)));
      socket.once("error", reject);
    });
  }

  /** Resolves with the status when the answer is whole. */
  send(head: Buffer, body: Buffer): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#settle = resolve;
      this.#fail = reject;
      this.#socket.cork();
      this.#socket.write(head);
      this.#socket.write(body);
      this.#socket.uncork();
    });
  }

  close(): void {
    this.#fail = undefined;
    this.#socket.destroy();
  }

  #receive(text: string): void {
    this.#received += text;
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const status = Number(this.#received.slice(9, 12));
    if (status !== 204) {
      const length = /\r\ncontent-length: (\d+)/i.exec(this.#received.slice(0, headEnd + 2))?.[1];
      if (length === undefined) return this.#fail?.(new Error(`an answer ${status} without content-length`));
      if (this.#received.length < headEnd + 4 + Number(length)) return;
    }
    this.#received = "";
    const settle = this.#settle;
    this.#settle = undefined;
    this.#fail = undefined;
    settle?.(status);
  }
}
