import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { testDeployment } from '../test/support/testDeployment.js';
import { EvidenceLogReader } from './evidenceLogReader.js';

const deployment = testDeployment();
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'evidence-'));
  file = path.join(folder, 'evidence.jsonl');
});

afterEach(() => rmSync(folder, { recursive: true }));

function submission(round: number, matchCount: number) {
  return {
    batch: {
      round,
      snapshotBlock: 8 * round,
      snapshotHash: `0x${'11'.repeat(32)}`,
      policyHash: `0x${'22'.repeat(32)}`,
      operatorSetKey: `0x${'33'.repeat(32)}`,
      tableTimestamp: 1_700_000_000,
      tableHash: `0x${'44'.repeat(32)}`,
      recordsHash: `0x${'55'.repeat(32)}`,
      matchCount,
    },
    records: '0x',
    signature: `0x${'66'.repeat(65)}`,
  };
}

function conflict(round: number, changes: Record<string, unknown> = {}): string {
  const entry = {
    kind: 'conflict',
    round,
    signer: `0x${'77'.repeat(20)}`,
    submissions: [submission(round, 1), submission(round, 2)],
    chainId: deployment.chainId,
    settlement: deployment.contracts.matchSettlement,
    seenAt: '2026-01-01T00:00:00.000Z',
    ...changes,
  };
  return `${JSON.stringify(entry)}\n`;
}

const rounds = (reader: EvidenceLogReader) => reader.read().map(({ round }) => round);

describe('EvidenceLogReader', () => {
  test('gives each conflict once, as the log grows', () => {
    const reader = new EvidenceLogReader({ file, deployment });
    expect(rounds(reader)).toEqual([]);
    writeFileSync(file, conflict(3));
    expect(rounds(reader)).toEqual([3]);
    appendFileSync(file, conflict(4) + conflict(5));
    expect(rounds(reader)).toEqual([4, 5]);
    expect(rounds(reader)).toEqual([]);
  });

  test('waits for the end of a line that is being written', () => {
    const reader = new EvidenceLogReader({ file, deployment });
    const line = conflict(3);
    writeFileSync(file, line.slice(0, 100));
    expect(rounds(reader)).toEqual([]);
    appendFileSync(file, line.slice(100));
    expect(rounds(reader)).toEqual([3]);
  });

  test('begins anew with a log that took the place of a longer one', () => {
    const reader = new EvidenceLogReader({ file, deployment });
    writeFileSync(file, conflict(3) + conflict(4));
    expect(rounds(reader)).toEqual([3, 4]);
    writeFileSync(file, conflict(5));
    expect(rounds(reader)).toEqual([5]);
  });

  test('passes over dissent, other markets, other rounds and what is no entry', () => {
    const reader = new EvidenceLogReader({ file, deployment });
    writeFileSync(
      file,
      [
        conflict(1, { kind: 'dissent', submissions: [submission(1, 1)] }),
        conflict(2, { chainId: deployment.chainId + 1 }),
        conflict(3, { settlement: `0x${'99'.repeat(20)}` }),
        conflict(4, { submissions: [submission(4, 1), submission(5, 1)] }),
        'no JSON\n',
        '{}\n',
        conflict(6),
      ].join(''),
    );
    expect(rounds(reader)).toEqual([6]);
  });
});
