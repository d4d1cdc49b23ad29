import { z } from 'zod';
import type { Address } from 'viem';
import { MatchmakerError } from '../engine/error.js';

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'must be a 20-byte address in hex')
  .transform((text): Address => `0x${text.slice(2).toLowerCase()}`);

const deploymentSchema = z.strictObject({
  name: z.string().min(1).max(64),
  chainId: z.number().int().positive(),
  /** First block in which one of the contracts existed; history sync starts here. */
  deploymentBlock: z.number().int().nonnegative(),
  blockTimeMs: z.number().int().positive(),
  /** False where the chain's EigenLayer delays are too short for the slashing window to hold (devnet, testnets). */
  economicSecurity: z.boolean(),
  contracts: z.strictObject({
    accessManager: address,
    marketPause: address,
    tokenRegistry: address,
    matchPolicy: address,
    stakingManager: address,
    complianceRegistry: address,
    providerRegistry: address,
    providerAdmission: address,
    providerAttributes: address,
    certificateRegistry: address,
    escrow: address,
    orderRequest: address,
    bid: address,
    computeLease: address,
    matchSettlement: address,
    signedCalls: address,
    rewardOracle: address,
    rewarder: address,
  }),
  operatorSet: z.strictObject({ avs: address, id: z.number().int().min(0).max(0xffff_ffff) }),
  eigenlayer: z.strictObject({
    allocationManager: address,
    delegationManager: address,
    strategyManager: address,
    keyRegistrar: address,
    crossChainRegistry: address,
    operatorTableUpdater: address,
    ecdsaCertificateVerifier: address,
    bn254CertificateVerifier: address,
    permissionController: address,
  }),
  stakeToken: address,
  strategy: address,
});

/** Where one market lives: its chain, its contracts, its operator set and the EigenLayer contracts it reads. Addresses are lower case. */
export type Deployment = Readonly<z.infer<typeof deploymentSchema>>;

/** A deployment file that does not say what it must; `metadata.problems` lists every one with its path. */
export class DeploymentInvalidError extends MatchmakerError<'DEPLOYMENT_INVALID'> {
  constructor(problems: readonly string[]) {
    super('DEPLOYMENT_INVALID', `the deployment file is not one:\n${problems.map((line) => `  ${line}`).join('\n')}`, {
      metadata: { problems },
    });
  }
}

/**
 * Reads a deployment from parsed JSON. Unknown keys are refused.
 * Throws DeploymentInvalidError with all problems at once.
 */
export function parseDeployment(json: unknown): Deployment {
  const parsed = deploymentSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new DeploymentInvalidError(
    parsed.error.issues.map(
      ({ path, message }) =>
        `${path.join('.') || '(root)'}: ${message.endsWith('received undefined') ? 'is missing' : message}`,
    ),
  );
}
