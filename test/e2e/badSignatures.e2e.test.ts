import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { toHex, type Hex } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';

import { buildProgram } from '../../cli/program.js';
import { certificateDigest } from '../../protocol/certificate.js';
import { hashMatchBatch, type MatchBatch } from '../../protocol/matchBatch.js';
import { decodeRecords, encodeRecords, hashRecords } from '../../protocol/records.js';
import { LocalNetwork } from './localNetwork.js';

const SCENARIO_MS = 120_000;
/** The smallest operator: the others reach the quorum without it. */
const ODD_ONE = 3;
let network: LocalNetwork;

beforeEach(async () => {
  network = await LocalNetwork.start({ roundLengthBlocks: 16 });
  await network.run([0, 1, 2]);
}, SCENARIO_MS);

afterEach(async () => {
  await network?.stop();
}, SCENARIO_MS);

async function sign(batch: MatchBatch): Promise<Hex> {
  const { quorum, contracts, chainId } = network.deployment;
  const hash = certificateDigest({
    verifier: quorum.certificateVerifier,
    referenceTimestamp: batch.tableTimestamp,
    messageHash: hashMatchBatch(batch, { chainId, settlement: contracts.matchSettlement }),
  });
  return privateKeyToAccount(network.operatorKeys[ODD_ONE]!.signingKey).sign({ hash });
}

/** What `restake risk --aggregator` says against each operator, in the order of the operators. */
async function disagreements(): Promise<object[][]> {
  const lines: string[] = [];
  const market = ['--deployment', network.deploymentFile, '--rpc', network.rpcUrl];
  await buildProgram((line) => lines.push(line)).parseAsync(
    ['restake', 'risk', ...market, '--aggregator', network.aggregator.url, '--json'],
    { from: 'user' },
  );
  const { operators } = JSON.parse(lines.join('')) as {
    operators: { operator: string; record: { disagreed: number[]; conflicted: number[] } }[];
  };
  return network.operatorKeys.map(({ address }) => {
    const { disagreed, conflicted } = operators.find(
      (row) => row.operator.toLowerCase() === address.toLowerCase(),
    )!.record;
    return disagreed.length + conflicted.length === 0 ? [] : [{ disagreed, conflicted }];
  });
}

async function post(body: {
  batch: MatchBatch;
  records: Hex;
  signature: Hex;
}): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${network.aggregator.url}/v1/signatures`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

test(
  'an operator that signs a different batch never counts and leaves evidence',
  async () => {
    const { orderId } = await network.order();
    await network.until('an operator to sign', () => network.sink.seen.length > 0);
    const honest = network.sink.seen[0]!;
    const [record, ...rest] = decodeRecords(honest.records);
    const records = encodeRecords([{ ...record!, priceMicroPerHour: record!.priceMicroPerHour + 1 }, ...rest]);
    const batch = { ...honest.batch, recordsHash: hashRecords(records) };
    const answer = await post({ batch, records, signature: await sign(batch) });
    expect(answer.status).toBe(202);

    await network.leased(orderId);
    const key = network.operatorKeys[ODD_ONE]!.signer.toLowerCase();
    const settlement = (await network.settlements()).find(({ orderIds }) => orderIds.includes(orderId))!;
    expect(await network.signersOf(settlement)).not.toContain(key);
    await network.until('the evidence', () =>
      network
        .evidence()
        .some(
          ({ kind, signer, round }) => kind === 'dissent' && signer.toLowerCase() === key && round === settlement.round,
        ),
    );
    // Signing the honest batch as well makes it a contradiction that anyone can prove.
    const second = await post({ batch: honest.batch, records: honest.records, signature: await sign(honest.batch) });
    expect([409, 202, 410]).toContain(second.status);
    await network.until('the conflict to be kept', () =>
      network.evidence().some(({ kind, signer }) => kind === 'conflict' && signer.toLowerCase() === key),
    );
    // A restaker that asks the aggregator is told of both, and of nothing else.
    const { round } = settlement;
    await network.until(
      'the aggregator to tell of the round',
      async () => (await disagreements())[ODD_ONE]?.length === 1,
    );
    expect(await disagreements()).toEqual([[], [], [], [{ disagreed: [round], conflicted: [round] }]]);
  },
  SCENARIO_MS,
);

test(
  "a hundred invalid signatures in a victim's name and then its valid one: it counts",
  async () => {
    await network.order();
    await network.until('an operator to sign', () => network.sink.seen.length > 0);
    // The round stays open for as long as the victim's enemies take.
    await network.testClient.setIntervalMining({ interval: 0 });
    const { batch, records } = network.sink.seen[0]!;
    for (let attempt = 0; attempt < 100; attempt++) {
      const answer = await post({ batch, records, signature: `${toHex(randomBytes(64))}1b` });
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
    }
    const valid = await post({ batch, records, signature: await sign(batch) });
    expect(valid).toMatchObject({ status: 202, body: { status: 'counted' } });
    expect(network.evidence()).toEqual([]);
  },
  SCENARIO_MS,
);
