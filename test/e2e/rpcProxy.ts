import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One JSON-RPC call as it passes the proxy. */
export interface RpcCall {
  readonly id: number | string | null;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What a script may do with a call: answer it, let it through and change the answer, or fail the connection. */
export type RpcScript = (call: RpcCall, forward: () => Promise<unknown>) => Promise<unknown>;

/** Thrown by a script to cut the connection without an answer. */
export class DropConnection extends Error {}

/** A JSON-RPC proxy in front of a node whose behaviour a test scripts while it runs. */
export class RpcProxy {
  readonly url: string;
  #server: Server;
  #target: string;
  #script: RpcScript | undefined;

  private constructor(server: Server, target: string) {
    this.#server = server;
    this.#target = target;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  /** Listens on a free loopback port and passes every call to `target` until a script is set. */
  static async start(target: string): Promise<RpcProxy> {
    let proxy: RpcProxy | undefined;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        void proxy!
          .#answer(Buffer.concat(chunks).toString('utf8'))
          .then((body) => response.writeHead(200, { 'content-type': 'application/json' }).end(body))
          .catch(() => request.socket.destroy());
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    proxy = new RpcProxy(server, target);
    return proxy;
  }

  /** Replaces the script; undefined passes everything through. */
  script(script: RpcScript | undefined): void {
    this.#script = script;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  async #answer(body: string): Promise<string> {
    if (this.#script === undefined) return this.#post(body);
    const parsed = JSON.parse(body) as RpcCall | RpcCall[];
    const answers = await Promise.all([parsed].flat().map((call) => this.#one(call)));
    return JSON.stringify(Array.isArray(parsed) ? answers : answers[0]);
  }

  async #one(call: RpcCall): Promise<unknown> {
    const script = this.#script;
    let failure: unknown;
    const forward = async (): Promise<unknown> => {
      const answer = JSON.parse(await this.#post(JSON.stringify({ jsonrpc: '2.0', ...call }))) as {
        result?: unknown;
        error?: unknown;
      };
      if (answer.error !== undefined) failure = answer.error;
      return answer.result;
    };
    const result = script === undefined ? await forward() : await script(call, forward);
    return failure === undefined
      ? { jsonrpc: '2.0', id: call.id, result }
      : { jsonrpc: '2.0', id: call.id, error: failure };
  }

  async #post(body: string): Promise<string> {
    const response = await fetch(this.#target, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    return response.text();
  }
}
