import type { Address } from 'viem';
import { z } from 'zod';

/** An address in a file, read in lower case, as logs and reads give them. */
export const addressSchema = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'must be a 20-byte address in hex')
  .transform((text): Address => `0x${text.slice(2).toLowerCase()}`);
