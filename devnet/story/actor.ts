import type { Address } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import type { Hex } from 'viem';
import type { Deployment } from '../../chain/deployment.js';
import { createMarketClient, type MarketClient } from '../../sdk/marketClient.js';

/** A loaded machine answers late; the story waits for it rather than fail. */
const REQUEST_TIMEOUT_MS = 30_000;
const RECEIPT_TIMEOUT_MS = 120_000;

/** Somebody in the story: an account that acts through the SDK, one action after another. */
export class Actor {
  readonly address: Address;
  /** For reading; writing goes through `act`. */
  readonly client: MarketClient;
  #tail: Promise<unknown> = Promise.resolve();

  constructor(market: { readonly deployment: Deployment; readonly rpcUrl: string }, privateKey: Hex) {
    const account = privateKeyToAccount(privateKey);
    this.address = account.address.toLowerCase() as Address;
    this.client = createMarketClient({
      ...market,
      account,
      requestTimeoutMs: REQUEST_TIMEOUT_MS,
      receiptTimeoutMs: RECEIPT_TIMEOUT_MS,
    });
  }

  /** Runs `work` once all earlier work of this account is done, because each takes the next nonce. Throws what it throws. */
  act<Result>(work: (client: MarketClient) => Promise<Result>): Promise<Result> {
    const done = this.#tail.then(() => work(this.client));
    this.#tail = done.catch(() => undefined);
    return done;
  }
}
