import { expect, test } from '@jest/globals';
import { keccak256 } from 'viem';
import type { Hex } from 'viem';
import { devAccounts } from '../../devnet/devAccounts.js';
import { flightsFrom, lastOf, newFlight, reservedWei } from './flight.js';
import type { SentEntry } from './nonceJournal.js';

const { account } = devAccounts()(1);
const TO: Hex = '0x00000000000000000000000000000000000000ee';

async function entry(nonce: number, maxFeePerGas: bigint, cancels = false): Promise<SentEntry> {
  const raw = await account.signTransaction({
    type: 'eip1559',
    chainId: 1,
    nonce,
    to: cancels ? account.address : TO,
    data: cancels ? '0x' : '0x1234',
    gas: cancels ? 21_000n : 50_000n,
    maxFeePerGas,
    maxPriorityFeePerGas: 2n,
  });
  return { kind: 'sent', nonce, hash: keccak256(raw), raw, label: `nonce ${nonce}`, cancels, deadlineBlock: 9, at: 1 };
}

test('what a journal holds is taken up by nonce, each with all its forms', async () => {
  const entries = [await entry(7, 10n), await entry(6, 10n), await entry(7, 12n), await entry(6, 100n, true)];
  const flights = flightsFrom(entries);
  expect(flights.map(({ nonce, label }) => [nonce, label])).toEqual([
    [6, 'nonce 6'],
    [7, 'nonce 7'],
  ]);
  const [six, seven] = flights;
  if (six === undefined || seven === undefined) throw new Error('no flights');
  expect(six.call).toEqual({ to: TO, data: '0x1234', gasLimit: 50_000n });
  expect(six.attempts.map(({ cancels, maxFeePerGas }) => [cancels, maxFeePerGas])).toEqual([
    [false, 10n],
    [true, 100n],
  ]);
  expect(seven.attempts.map(({ hash }) => hash)).toEqual([entries[0]?.hash, entries[2]?.hash]);
  expect(lastOf(seven)).toMatchObject({ maxFeePerGas: 12n, priorityFeePerGas: 2n });
  expect([six.sentAtBlock, six.deadlineBlock]).toEqual([null, 9]);
});

test('a flight reserves what its dearest form may cost, a no-op with the gas of one', async () => {
  const [six, seven] = flightsFrom([
    await entry(6, 10n),
    await entry(6, 12n, true),
    await entry(7, 10n),
    await entry(7, 100n, true),
  ]);
  if (six === undefined || seven === undefined) throw new Error('no flights');
  expect(reservedWei(six)).toBe(500_000n);
  expect(reservedWei(seven)).toBe(2_100_000n);
});

test('a flight of which nothing was signed has no newest form and reserves nothing', () => {
  const call = { to: TO, data: '0x', gasLimit: 1n } as const;
  const flight = newFlight({ label: 'new', nonce: 1, call, deadlineBlock: null, errorsAbi: null });
  expect(() => lastOf(flight)).toThrow(TypeError);
  expect(reservedWei(flight)).toBe(0n);
});
