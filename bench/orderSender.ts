import { encodeFunctionData, keccak256, serializeTransaction, type Hex } from 'viem';
import { orderRequestAbi } from '../chain/contracts/generated/OrderRequest.js';
import { sendRawTransaction } from '../chain/rpc/rpcCall.js';
import type { Rpc } from '../chain/rpc/rpc.js';
import { transactionCount } from '../chain/rpc/rpcCall.js';
import type { DevAccount } from '../devnet/devAccounts.js';
import type { OrderSpec } from '../protocol/orderSpec.js';
import type { Secp256k1 } from '../service/signing/secp256k1.js';

export interface OrderSenderOptions {
  readonly chainId: number;
  readonly orderRequest: Hex;
  readonly tenants: readonly DevAccount[];
  /** Of every order's transaction. */
  readonly gasLimit: bigint;
  /** Wei per gas. */
  readonly maxFeePerGas: bigint;
  readonly priorityFeePerGas: bigint;
  /** When unmatched orders expire, seconds since 1970. */
  readonly expiresAtSeconds: number;
}

/** Sends orders of many tenants in turn: numbered, priced and signed here, handed to the node in batches over one connection. */
export class OrderSender {
  readonly #options: OrderSenderOptions;
  readonly #rpc: Rpc;
  readonly #curve: Secp256k1;
  readonly #nonces: number[] = [];
  #next = 0;

  constructor(options: OrderSenderOptions, dependencies: { rpc: Rpc; curve: Secp256k1 }) {
    this.#options = options;
    this.#rpc = dependencies.rpc;
    this.#curve = dependencies.curve;
  }

  /** Reads the tenants' nonces; nobody else may send with their keys from then on. Throws what the RPC throws. */
  async start(): Promise<void> {
    const { tenants } = this.#options;
    this.#nonces.push(...(await this.#rpc.batch(tenants.map(({ account }) => transactionCount(account.address)))));
  }

  /**
   * Hands orders to the node; resolves when it has taken all. `onSending` is told the transactions' hashes before they leave: they may be
   * mined before the node's answer is there. Throws what the RPC throws.
   */
  async send(
    specs: readonly OrderSpec[],
    onSending: (hashes: readonly Hex[]) => void = () => undefined,
  ): Promise<void> {
    const raws = specs.map((spec) => this.#sign(spec));
    onSending(raws.map((raw) => keccak256(raw)));
    await this.#rpc.batch(raws.map((raw) => sendRawTransaction(raw)));
  }

  #sign(spec: OrderSpec): Hex {
    const { chainId, orderRequest: to, tenants, gasLimit, expiresAtSeconds } = this.#options;
    const tenant = this.#next++ % tenants.length;
    const transaction = {
      type: 'eip1559',
      chainId,
      nonce: this.#nonces[tenant]!++,
      gas: gasLimit,
      maxFeePerGas: this.#options.maxFeePerGas,
      maxPriorityFeePerGas: this.#options.priorityFeePerGas,
      to,
      data: encodeFunctionData({ abi: orderRequestAbi, functionName: 'createOrder', args: [spec, expiresAtSeconds] }),
    } as const;
    const signature = this.#curve.sign(keccak256(serializeTransaction(transaction)), tenants[tenant]!.privateKey);
    return serializeTransaction(transaction, {
      r: `0x${signature.slice(2, 66)}`,
      s: `0x${signature.slice(66, 130)}`,
      yParity: signature.endsWith('1c') ? 1 : 0,
    });
  }
}
