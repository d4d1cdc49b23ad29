import { isAddress, type Address, type Hex } from 'viem';
import { z } from 'zod';

import { ConfigInvalidError } from '../service/loadConfig.js';
import { readJsonFile } from '../service/readJsonFile.js';
import type { GuardExport } from './signGuard.js';

const address = z.custom<Address>((value) => typeof value === 'string' && isAddress(value), 'must be an address');
const round = z.int().min(0).max(0xffff_ffff);

const guardExportSchema = z.strictObject({
  metadata: z.strictObject({
    formatVersion: z.literal('1'),
    chainId: z.int().positive(),
    settlement: address,
    keyAddress: address,
  }),
  watermark: round,
  records: z.array(
    z.strictObject({
      round,
      messageHash: z.custom<Hex>(
        (value) => typeof value === 'string' && /^0x[0-9a-fA-F]{64}$/.test(value),
        'must be 32 bytes of hex',
      ),
      referenceTimestamp: z.int().min(0).max(0xffff_ffff),
    }),
  ),
});

/** Reads a file that `guard export` wrote. Throws ConfigInvalidError with every problem. */
export function readGuardExport(file: string): GuardExport {
  const result = guardExportSchema.safeParse(readJsonFile('file', file));
  if (result.success) return result.data;
  throw new ConfigInvalidError(
    result.error.issues.map((issue) => ({ path: issue.path.join('.') || file, message: issue.message })),
  );
}
