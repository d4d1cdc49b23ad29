import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { recoverAddress, type Address, type Hex } from 'viem';

import { certificateDigest } from '../../protocol/certificate.js';
import { hashMatchBatch, type MatchBatch } from '../../protocol/matchBatch.js';
import type { SubmissionSigner } from '../../service/signatureApi.js';

/** A signature as an operator posted it. */
export interface SeenSignature {
  readonly round: number;
  /** The key as the operator table names it. */
  readonly signer: Hex;
  readonly messageHash: Hex;
  readonly batch: MatchBatch;
  readonly records: Hex;
  readonly signature: Hex;
  /** Of a BN254 key, its other point. */
  readonly g2?: Hex;
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
      if (request.method !== 'POST') {
        response.end('{"live":true}');
        return;
      }
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const body = JSON.parse(Buffer.concat(chunks).toString('utf8')) as Pick<
          SeenSignature,
          'batch' | 'records' | 'signature'
        > & { signer?: SubmissionSigner };
        const messageHash = hashMatchBatch(body.batch, domain);
        const { batch, records, signature } = body;
        const hash = certificateDigest({
          verifier: domain.verifier,
          referenceTimestamp: batch.tableTimestamp,
          messageHash,
        });
        const { g1, g2 } = body.signer ?? {};
        void (g1 === undefined ? recoverAddress({ hash, signature }) : Promise.resolve(g1)).then((signer) => {
          const g2Key = g2 === undefined ? {} : { g2 };
          sink!.seen.push({ batch, records, signature, ...g2Key, round: batch.round, signer, messageHash });
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
