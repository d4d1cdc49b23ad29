import { z } from 'zod';
import { addressSchema } from '../addressSchema.js';
import { MatchmakerError } from '../../engine/error.js';
import { eigenlayerSchema } from '../eigenlayer/eigenlayerFile.js';

const networkSchema = z.strictObject({
  name: z.string().min(1).max(64),
  chainId: z.int().positive(),
  blockTimeMs: z.int().positive(),
  /** Whether deployments are refused whose delays do not protect anybody. */
  economicSecurity: z.boolean(),
  /** True on Arbitrum chains, where `block.number` means L1. */
  arbSys: z.boolean(),
  /** How a market on this chain counts rounds, and which of config/policies and config/economy it has. */
  market: z.strictObject({
    roundLengthBlocks: z.int().min(1).max(65_535),
    bidWindowBlocks: z.int().min(0),
    policy: z.literal('default'),
    economy: z.enum(['default', 'devnet']),
  }),
  /** Which of config/avs the terms of an operator set on this chain are. */
  avs: z.enum(['default', 'devnet']),
  eigenlayer: eigenlayerSchema,
  /** Why contracts are missing, and what to do about it. */
  eigenlayerNote: z.string().optional(),
  /** Strategies of EigenLayer on this chain by their token's symbol. */
  strategies: z.record(z.string(), addressSchema),
});

/** What is known of a chain before anything of ours is on it: config/networks. */
export type Network = Readonly<z.infer<typeof networkSchema>>;

/** A network file that does not say what it must; `metadata.problems` lists every one with its path. */
export class NetworkInvalidError extends MatchmakerError<'NETWORK_INVALID'> {
  constructor(problems: readonly string[]) {
    super('NETWORK_INVALID', `the network file is not one:\n${problems.map((line) => `  ${line}`).join('\n')}`, {
      metadata: { problems },
    });
  }
}

/**
 * Reads a network from parsed JSON. Unknown keys are refused.
 * Throws NetworkInvalidError with all problems at once.
 */
export function parseNetwork(json: unknown): Network {
  const parsed = networkSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new NetworkInvalidError(
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || '(root)'}: ${message}`),
  );
}
