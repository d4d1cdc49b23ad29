import { readFileSync } from 'node:fs';

import { expect, test } from '@jest/globals';

import { parseEconomy } from '../../chain/deploy/termsFile.js';
import { loadDefaultPolicy } from '../../devnet/parameters.js';
import {
  accruedAmount,
  chargeOnTenantClose,
  leaseCost,
  lockAmount,
  lockAmountWithFee,
  paymentOf,
  splitAccrued,
} from '../../protocol/lock.js';
import type { LeaseMeter, OrderFees } from '../../protocol/lock.js';
import { computeEra } from '../../protocol/rewards/computeEra.js';
import type { RewardLine } from '../../protocol/rewards/computeEra.js';
import { earnerAt, plainProvider, quietEra } from '../support/eraInputs.js';

const page = readFileSync('docs/economy.md', 'utf8');
const economy = parseEconomy(JSON.parse(readFileSync('config/economy/default.json', 'utf8')));

/** Cells of the table under a heading: the first column's text to the last column's. */
function tableUnder(heading: string): Map<string, string> {
  const from = page.indexOf(`\n${heading}\n`);
  if (from === -1) throw new Error(`docs/economy.md has no heading ${heading}`);
  const section = page.slice(from + heading.length + 2).split(/\n#+ /)[0] ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('|'));
  return new Map(
    rows.slice(2).map((row) => {
      const cells = row.split('|').map((cell) => cell.trim());
      return [cells[1] ?? '', cells.at(-2) ?? ''];
    }),
  );
}

function texts(values: Record<string, bigint | number>): Map<string, string> {
  return new Map(
    Object.entries(values).map(([name, value]) => [name, String(value).replaceAll(/\B(?=(\d{3})+(?!\d))/g, ' ')]),
  );
}

test('the lease of the example costs and pays what docs/economy.md says, to the last unit', () => {
  const { userFeeBps, providerFeeBps, foundationFeeBps } = economy.fees;
  const fees: OrderFees = { userFeeBps, providerFeeBps, foundationFeeBps };
  const decimals = 6;
  const meter: LeaseMeter = {
    readyAtSeconds: 1_000,
    pricedAtSeconds: 1_000,
    paidThroughSeconds: 1_000 + 90 * 60,
    priceMicroPerHour: 1_234_567,
    decimals,
    earnedBefore: 0n,
  };
  const lock = lockAmountWithFee(lockAmount(1_500_000, 90, decimals), userFeeBps);
  const fitted = lockAmountWithFee(leaseCost(meter), userFeeBps);
  const first = paymentOf(0n, accruedAmount(meter.priceMicroPerHour, 777, decimals), fees);
  const whole = chargeOnTenantClose(meter, 3_000, economy.leases.minimumChargeSeconds);
  const last = paymentOf(first.paid, whole, fees);
  const all = splitAccrued(whole, fees);
  const spent = all.toProvider + all.toTreasury + all.toFoundation;
  expect(tableUnder('### A lease to the last unit')).toEqual(
    texts({
      'locked by the order': lock,
      'back after `releaseExcess`': lock - fitted,
      'still locked': fitted,
      'G after 777 s': first.paid,
      'to the provider at its claim': first.toProvider,
      'to the treasury at its claim': first.toTreasury,
      'to the foundation at its claim': first.toFoundation,
      'G after 2 000 s': whole,
      'to the provider at the close': last.toProvider,
      'to the treasury at the close': last.toTreasury,
      'to the foundation at the close': last.toFoundation,
      'provider in all': all.toProvider,
      'treasury in all': all.toTreasury,
      'foundation in all': all.toFoundation,
      'spent by the tenant': spent,
      'back at the close': fitted - spent,
    }),
  );
  expect(last.paid).toBe(whole);
  expect(first.toProvider + last.toProvider).toBe(all.toProvider);
  expect(lock).toBe(lock - fitted + spent + (fitted - spent));
});

test('the era of the example pays what docs/economy.md says, to the last unit', () => {
  const { rewards } = economy;
  const owner = earnerAt(1);
  const ann = earnerAt(2);
  const operator = earnerAt(3);
  const settler = earnerAt(4);
  const token = 10n ** 18n;
  const era = computeEra(
    quietEra({
      eraSeconds: BigInt(rewards.eraSeconds),
      terms: {
        gpuPointsMilli: BigInt(rewards.gpuPointsMilli),
        cpuPointsMilli: BigInt(rewards.cpuPointsMilli),
        tierMultiplierBps: rewards.tierMultiplierBps.map(BigInt),
        slashLineBps: rewards.slashLineBps.map(BigInt),
        complianceCapBps: BigInt(rewards.complianceCapBps),
        pointMicroUsd: BigInt(rewards.pointMicroUsd),
        operatorPoolMicroUsd: BigInt(rewards.operatorPoolMicroUsd),
        maxRefundGasPriceWei: BigInt(rewards.maxRefundGasPriceWei),
        maxRefundGas: BigInt(rewards.maxRefundGas),
        maxPerEra: BigInt(rewards.maxPerEraWhole) * token,
      },
      rewardTokenMicroUsd: 273_000n,
      nativeMicroUsd: 3_141_592_653n,
      providers: [
        plainProvider({
          owner,
          tier: 3,
          complianceBps: 11_250n,
          commissionBps: 1_000n,
          ownStake: 1_000n * token,
          delegatedStake: 500n * token,
          delegations: [{ delegator: ann, amount: 500n * token }],
          resources: [
            { resourceId: 51, category: 'gpu', units: 7n, multiplierBps: 120_000n },
            { resourceId: 77, category: 'cpu', units: 97n, multiplierBps: 10_000n },
          ],
          results: [{ era: 5, eraUptimeBps: 9_580n, idleSeconds: 11_407n, voided: false }],
        }),
      ],
      operators: [
        { operator, batches: 41 },
        { operator: earnerAt(5), batches: 60 },
      ],
      settlers: [{ settler, round: 9, gasUsed: 7_654_321n, effectiveGasPriceWei: 25_000_000n }],
    }),
  );
  const lineOf = <Kind extends RewardLine['kind']>(kind: Kind): Extract<RewardLine, { kind: Kind }> => {
    const found = era.explanations.flatMap(({ lines }) => lines).find((line) => line.kind === kind);
    if (found === undefined) throw new Error(`no line of a ${kind}`);
    return found as Extract<RewardLine, { kind: Kind }>;
  };
  const provider = lineOf('provider');
  const steps = provider.points[0];
  expect(steps).toBeDefined();
  expect(era.addedTotal).toBe(era.earnedTotal);
  expect(tableUnder('### An era to the last unit')).toEqual(
    texts({
      'GPU points': steps!.gpuPointsMilli,
      'CPU points': steps!.cpuPointsMilli,
      'times the trust tier': steps!.tieredMilli,
      'times compliance': steps!.compliantMilli,
      'times the active time': steps!.pointsMilli,
      'micro-USD': provider.microUsd,
      'tokens of the provider': provider.tokens,
      'commission to the owner': provider.commission,
      'to the delegator': lineOf('delegator').amount,
      'to the owner in all': provider.amount,
      'tokens of the operators': lineOf('operator').poolTokens,
      'to the operator': lineOf('operator').amount,
      'wei of the settler': lineOf('settler').refundWei,
      'micro-USD of the settler': lineOf('settler').microUsd,
      'to the settler': lineOf('settler').amount,
    }),
  );
});

test('the defaults that docs/economy.md names are those of the files', () => {
  const policy = loadDefaultPolicy();
  const values = new Map<string, unknown>();
  const flatten = (prefix: string, node: unknown): void => {
    if (typeof node === 'object' && node !== null && !Array.isArray(node)) {
      for (const [key, value] of Object.entries(node)) flatten(prefix === '' ? key : `${prefix}.${key}`, value);
    } else {
      values.set(prefix, node);
    }
  };
  flatten('', economy);
  flatten('policy', policy);
  const rows = [...page.matchAll(/`([a-zA-Z]+(?:\.[a-zA-Z]+)+)` = ([^\s|;,.)]+(?: \d{3})*)/g)];
  expect(rows.length).toBeGreaterThan(20);
  for (const [, name = '', text = ''] of rows) {
    expect([name, text.replaceAll(' ', '')]).toEqual([name, String(values.get(name)).replaceAll(',', '/')]);
  }
});
