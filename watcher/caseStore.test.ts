import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { CaseStore, type FaultCase } from './caseStore.js';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'cases-'));
});

afterEach(() => rmSync(folder, { recursive: true }));

function faultCase(changes: Partial<FaultCase> = {}): FaultCase {
  return {
    version: 1,
    id: '5-aa',
    kind: 'batch',
    round: 5,
    messageHash: '0xaa',
    snapshotHash: '0xbb',
    foundAt: '2026-01-01T00:00:00.000Z',
    findings: ['order 1 was left out'],
    proofs: [{ fault: 'omittedOrder', orderId: 1, words: 5, evidence: '0x0102' }],
    victims: [{ orderId: 1, header: '0x01', ordersAccount: ['0x02'], ownerWord: ['0x03'] }],
    salt: '0xcc',
    ...changes,
  };
}

describe('CaseStore', () => {
  test('keeps cases over restarts, by round, with nothing lost and nothing beside them', () => {
    const store = new CaseStore({ folder });
    store.put(faultCase({ id: '7-bb', round: 7 }));
    store.put(faultCase());
    const again = new CaseStore({ folder });
    expect(again.list()).toEqual([faultCase(), faultCase({ id: '7-bb', round: 7 })]);
    expect(readdirSync(folder).sort()).toEqual(['5-aa.json', '7-bb.json']);
  });

  test('takes a case with proofs in the place of one without', () => {
    const store = new CaseStore({ folder });
    store.put(faultCase({ proofs: [], problem: 'the state is gone' }));
    expect([store.hasProof('5-aa'), store.hasProof('6-cc')]).toEqual([false, false]);
    store.put(faultCase());
    expect(store.hasProof('5-aa')).toBe(true);
    expect(new CaseStore({ folder }).list()).toEqual([faultCase()]);
  });

  test('passes over the draft of a write that never ended', () => {
    const store = new CaseStore({ folder });
    store.put(faultCase());
    const whole = readFileSync(path.join(folder, '5-aa.json'), 'utf8');
    writeFileSync(path.join(folder, '9-dd.json.draft'), whole.slice(0, 40));
    expect(new CaseStore({ folder }).list()).toEqual([faultCase()]);
  });

  test.each([
    ['no JSON', '{"version":'],
    ['an unknown version', JSON.stringify({ ...faultCase(), version: 2 })],
    [
      'evidence that is no hex',
      JSON.stringify(faultCase({ proofs: [{ ...faultCase().proofs[0]!, evidence: 'x' as '0x' }] })),
    ],
  ])('names the file that holds %s', (_what, text) => {
    writeFileSync(path.join(folder, 'broken.json'), text);
    expect(() => new CaseStore({ folder })).toThrow(
      expect.objectContaining({ code: 'CASE_FILE_INVALID', message: expect.stringContaining('broken.json') }),
    );
  });

  test('keeps a case in memory when the disk fails, and says so', () => {
    const store = new CaseStore({ folder });
    rmSync(folder, { recursive: true });
    expect(() => store.put(faultCase())).toThrow(/ENOENT/);
    expect(store.list()).toEqual([faultCase()]);
    expect(new CaseStore({ folder }).list()).toEqual([]);
  });
});
