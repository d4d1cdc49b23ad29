import { expect, test } from '@jest/globals';
import pino from 'pino';

import { logLocalSnapshot } from './localSnapshotLog.js';

test('what became of the snapshot is one line with everything that is told of it', () => {
  const lines: Record<string, unknown>[] = [];
  const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(JSON.parse(line)) });
  const dropped = { kind: 'dropped', reason: 'its checksum does not hold' } as const;
  const written = { kind: 'written', block: 9, bytes: 77, seconds: 0.5 } as const;
  logLocalSnapshot(logger, dropped);
  logLocalSnapshot(logger, written);
  expect(lines).toEqual([
    expect.objectContaining({ level: 40, event: 'snapshot_dropped', reason: 'its checksum does not hold' }),
    expect.objectContaining({ level: 20, event: 'snapshot_written', block: 9, bytes: 77, seconds: 0.5 }),
  ]);
});
