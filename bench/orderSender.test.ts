import { expect, test } from '@jest/globals';
import { keccak256, parseTransaction, recoverTransactionAddress, type Hex, type TransactionSerialized } from 'viem';
import type { RpcCall } from '../chain/rpc/rpcCall.js';
import { devAccounts } from '../devnet/devAccounts.js';
import { SeededRandom } from '../devnet/random.js';
import { javascriptSecp256k1 } from '../service/signing/secp256k1.js';
import { OrderSender } from './orderSender.js';
import { smallOrder } from './smallOrders.js';

test('orders go out in one batch, tenants taking turns with nonces of their own', async () => {
  const tenants = [1, 2].map(devAccounts());
  const batches: (readonly RpcCall<unknown>[])[] = [];
  const rpc = {
    batch: (calls: readonly RpcCall<unknown>[]) => {
      batches.push(calls);
      return Promise.resolve(
        calls.map(({ method }) => (method === 'eth_getTransactionCount' ? 3 + batches.length : '0x')),
      );
    },
  };
  const sender = new OrderSender(
    {
      chainId: 31_337,
      orderRequest: `0x${'12'.repeat(20)}`,
      tenants,
      gasLimit: 300_000n,
      maxFeePerGas: 9n,
      priorityFeePerGas: 2n,
      expiresAtSeconds: 1_900_000_000,
    },
    { rpc: rpc as never, curve: javascriptSecp256k1() },
  );
  await sender.start();
  const random = new SeededRandom(4);
  const told: Hex[] = [];
  await sender.send([smallOrder(random), smallOrder(random), smallOrder(random)], (hashes) => told.push(...hashes));

  expect(batches).toHaveLength(2);
  const raws = batches[1]!.map(({ params }) => params[0] as TransactionSerialized);
  expect(told).toEqual(raws.map((raw) => keccak256(raw)));
  const senders = await Promise.all(
    raws.map((serializedTransaction) => recoverTransactionAddress({ serializedTransaction })),
  );
  expect(senders).toEqual([0, 1, 0].map((tenant) => tenants[tenant]!.account.address));
  expect(raws.map((raw) => parseTransaction(raw).nonce)).toEqual([4, 4, 5]);
});
