import {
  createPublicClient,
  createWalletClient,
  defineChain,
  http,
  type Account,
  type Address,
  type Chain,
  type HttpTransport,
  type PublicClient,
  type WalletClient,
} from 'viem';
import { parseAccount } from 'viem/accounts';
import type { Deployment } from '../chain/deployment.js';
import { RpcWrongChainError } from '../chain/rpc/rpc.js';
import { MatchmakerError } from '../engine/error.js';
import { rpcErrorFrom } from './calls/rpcErrorFrom.js';

/** Contracts of a market by name. */
export type MarketContracts = Deployment['contracts'];

/** What every action of the SDK acts through: one market, one node, and for writing one account. */
export interface MarketClient {
  readonly deployment: Deployment;
  readonly contracts: MarketContracts;
  /** Signs what is written; absent in a client that only reads. */
  readonly account: Account | undefined;
  readonly publicClient: PublicClient<HttpTransport, Chain>;
  readonly walletClient: WalletClient<HttpTransport, Chain, Account> | undefined;
  /** How long a write waits for its receipt, milliseconds. */
  readonly receiptTimeoutMs: number;
  /** Most blocks asked for in one `eth_getLogs`. */
  readonly logRangeBlocks: number;
  /** Resolves once the node has said that it serves the deployment's chain. Throws RpcWrongChainError and RpcUnavailableError. */
  readonly checkChain: () => Promise<void>;
}

export interface MarketClientOptions {
  /** The market, from `parseDeployment`. */
  readonly deployment: Deployment;
  /** JSON-RPC endpoint of the market chain; credentials in it go as basic authorization. */
  readonly rpcUrl: string;
  /** A viem account, or the address of one that the node holds the key of; leave it out to only read. */
  readonly account?: Account | Address;
  /** Deadline of one request, milliseconds. Default 10000. */
  readonly requestTimeoutMs?: number;
  /** How long a write waits for its receipt, milliseconds. Default 120000. */
  readonly receiptTimeoutMs?: number;
  /** Most blocks asked for in one `eth_getLogs`; lower it for nodes with a narrow limit. Default 10000. */
  readonly logRangeBlocks?: number;
}

/** A write was asked of a client that has no account. */
export class AccountMissingError extends MatchmakerError<'ACCOUNT_MISSING'> {
  constructor(action: string) {
    super('ACCOUNT_MISSING', `${action} needs an account: pass \`account\` to createMarketClient`, {
      metadata: { action },
    });
  }
}

/**
 * Opens a market for the actions of the SDK. Nothing is sent before the first action.
 *
 * @example
 * import { privateKeyToAccount } from 'viem/accounts';
 *
 * const client = createMarketClient({
 *   deployment: parseDeployment(JSON.parse(readFileSync('deployment.json', 'utf8'))),
 *   rpcUrl: 'http://127.0.0.1:8545',
 *   account: privateKeyToAccount(privateKey),
 * });
 * const { orderId } = await createOrder(client, { spec, expiresAtSeconds });
 */
export function createMarketClient(options: MarketClientOptions): MarketClient {
  const { deployment } = options;
  const { url, headers } = splitCredentials(options.rpcUrl);
  const chain = defineChain({
    id: deployment.chainId,
    name: deployment.name,
    nativeCurrency: { name: 'Ether', symbol: 'ETH', decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  });
  const transport = http(url, {
    timeout: options.requestTimeoutMs ?? 10_000,
    retryCount: 0,
    ...(headers === null ? {} : { fetchOptions: { headers } }),
  });
  // A cached head would hide what has just been mined.
  const shared = {
    chain,
    transport,
    cacheTime: 0,
    pollingInterval: Math.min(Math.max(Math.floor(deployment.blockTimeMs / 2), 50), 1_000),
  };
  const account = options.account === undefined ? undefined : parseAccount(options.account);
  const publicClient: PublicClient<HttpTransport, Chain> = createPublicClient(shared);
  let checked: Promise<void> | undefined;

  async function checkChain(): Promise<void> {
    let id: number;
    try {
      id = await publicClient.getChainId();
    } catch (error) {
      checked = undefined;
      throw rpcErrorFrom(error, 'eth_chainId');
    }
    if (id !== deployment.chainId) throw new RpcWrongChainError(deployment.chainId, id);
  }

  return {
    deployment,
    contracts: deployment.contracts,
    account,
    publicClient,
    walletClient: account === undefined ? undefined : createWalletClient({ ...shared, account }),
    receiptTimeoutMs: options.receiptTimeoutMs ?? 120_000,
    logRangeBlocks: options.logRangeBlocks ?? 10_000,
    checkChain: () => (checked ??= checkChain()),
  };
}

/** The address that the client's writes come from. Throws AccountMissingError. */
export function requireAccount(client: MarketClient, action: string): Address {
  if (client.account === undefined) throw new AccountMissingError(action);
  return client.account.address;
}

/** fetch refuses URLs with credentials. */
function splitCredentials(text: string): { url: string; headers: Record<string, string> | null } {
  const parsed = URL.canParse(text) ? new URL(text) : null;
  if (parsed === null || (parsed.protocol !== 'http:' && parsed.protocol !== 'https:')) {
    throw new RpcUrlInvalidError();
  }
  if (parsed.username === '') return { url: text, headers: null };
  const pair = `${decodeURIComponent(parsed.username)}:${decodeURIComponent(parsed.password)}`;
  parsed.username = '';
  parsed.password = '';
  return { url: parsed.href, headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` } };
}

/** The RPC URL is none; it is not repeated in the message, because hosted nodes carry keys in theirs. */
export class RpcUrlInvalidError extends MatchmakerError<'RPC_URL_INVALID'> {
  constructor() {
    super('RPC_URL_INVALID', 'the RPC URL must begin with http:// or https://');
  }
}
