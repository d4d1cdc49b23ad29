import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { recoverAddress, type Address, type Hex } from 'viem';

import { certificateDigest } from '../../protocol/certificate.js';
import { hashMatchBatch, type MatchBatch } from '../../protocol/matchBatch.js';

/** A signature as an operator posted it. */
export interface SeenSignature {
  readonly round: number;
  readonly signer: Address;
  readonly messageHash: Hex;
  readonly batch: MatchBatch;
  readonly records: Hex;
  readonly signature: Hex;
}

/** An endpoint that operators post to as to an aggregator; it takes everything and keeps it, so that a test sees all that left a process. */
export class SignatureSink {
  readonly url: string;
  readonly seen: SeenSignature[] = [];
  #server: Server;

  private constructor(server: Server) {
    this.#server = server;
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  static async start(domain: { chainId: number; settlement: Address; verifier: Address }): Promise<SignatureSink> {
    let sink: SignatureSink | undefined;
    const server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Pick<
          SeenSignature,
          'batch' | 'records' | 'signature'
        >;
        const messageHash = hashMatchBatch(body.batch, domain);
        const hash = certificateDigest({
          verifier: domain.verifier,
          referenceTimestamp: body.batch.tableTimestamp,
          messageHash,
        });
        void recoverAddress({ hash, signature: body.signature }).then((signer) => {
          sink!.seen.push({ ...body, round: body.batch.round, signer, messageHash });
          response.writeHead(202, { 'content-type': 'application/json' }).end('{"status":"counted"}');
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    sink = new SignatureSink(server);
    return sink;
  }

  /** Pairs of signatures by one key for one round over different batches: must always be empty. */
  doubleSignatures(): readonly SeenSignature[] {
    const first = new Map<string, Hex>();
    return this.seen.filter(({ round, signer, messageHash }) => {
      const key = `${round}/${signer}`;
      const known = first.get(key);
      if (known === undefined) first.set(key, messageHash);
      return known !== undefined && known !== messageHash;
    });
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}
