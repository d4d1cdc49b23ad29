import { expect, test } from '@jest/globals';
import { parseDeployment, type Deployment } from '../chain/deployment.js';
import { readBlock } from './calls/readBlock.js';
import { getBalance } from './escrow/getBalance.js';
import { cancelOrder } from './orders/cancelOrder.js';
import { AccountMissingError, createMarketClient, RpcUrlInvalidError } from './marketClient.js';

const ADDRESS = '0x00000000000000000000000000000000000000aa';
/** Whatever is asked for is an address. */
const addresses = (): Record<string, string> => new Proxy({}, { get: () => ADDRESS });
const deployment = {
  name: 'test',
  chainId: 31_337,
  deploymentBlock: 0,
  blockTimeMs: 250,
  economicSecurity: false,
  contracts: addresses(),
} as unknown as Deployment;

test('a deployment that is none is refused before any client', () => {
  expect(() => parseDeployment({})).toThrow(/contracts: is missing/);
});

test('a URL that is none is refused, and never repeated', () => {
  for (const rpcUrl of ['', 'localhost:8545', 'ws://secret@node']) {
    expect(() => createMarketClient({ deployment, rpcUrl })).toThrow(RpcUrlInvalidError);
    expect(() => createMarketClient({ deployment, rpcUrl })).not.toThrow(/secret/);
  }
});

test('a client without account reads only', async () => {
  const client = createMarketClient({ deployment, rpcUrl: 'http://127.0.0.1:9' });
  await expect(cancelOrder(client, { orderId: 1 })).rejects.toBeInstanceOf(AccountMissingError);
});

test('a node that cannot be reached is worth another try', async () => {
  const client = createMarketClient({ deployment, rpcUrl: 'http://127.0.0.1:9' });
  const unavailable = { code: 'RPC_UNAVAILABLE', retryable: true };
  await expect(getBalance(client, { account: ADDRESS, tokenId: 1 })).rejects.toMatchObject(unavailable);
  await expect(readBlock(client)).rejects.toMatchObject(unavailable);
});
