import { z } from 'zod';
import { MatchmakerError } from '../engine/error.js';
import { addressSchema as address } from './addressSchema.js';

/** A chain, and from where on there is anything of ours to read on it. */
const chainFields = {
  chainId: z.number().int().positive(),
  /** First block in which one of the contracts existed; history sync starts here. */
  deploymentBlock: z.number().int().nonnegative(),
  blockTimeMs: z.number().int().positive(),
};

const marketSchema = z.strictObject({
  name: z.string().min(1).max(64),
  ...chainFields,
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
  /** How settlement checks that a quorum signed. */
  quorum: z.strictObject({
    /** Of the operators' signing keys. */
    curve: z.enum(['ecdsa', 'bn254']),
    /** Who checks a certificate: EigenLayer's verifier, or our own on the table that it holds. */
    checkedBy: z.enum(['eigenlayer', 'table']),
    /** What settlement asks. */
    verifier: address,
    /** What the digest of an ECDSA certificate names. */
    certificateVerifier: address,
  }),
  /** The updater and the certificate verifiers are on the market chain, the others on the stake chain. */
  eigenlayer: z.strictObject({
    allocationManager: address,
    delegationManager: address,
    strategyManager: address,
    strategyFactory: address,
    rewardsCoordinator: address,
    keyRegistrar: address,
    crossChainRegistry: address,
    operatorTableUpdater: address,
    ecdsaCertificateVerifier: address,
    bn254CertificateVerifier: address,
    permissionController: address,
  }),
});

const deploymentSchema = marketSchema.extend({
  /** The chain that has the operator set, and our contracts there. */
  stake: z.strictObject({
    ...chainFields,
    registrar: address,
    calculator: address,
    /** Decides whether evidence shows a fault. */
    judge: address,
    /** The set's slasher, which only the judge moves. */
    slasher: address,
    /** Where slashed stake goes. */
    vault: address,
  }),
  /** What restakers deposit, on the stake chain. */
  stakeToken: address,
  strategy: address,
});

/** Where one market lives: its chain, its contracts, its operator set, and the stake chain with EigenLayer. Addresses are lower case. */
export type Deployment = Readonly<z.infer<typeof deploymentSchema>>;

/** A market whose operator set need not exist yet. */
export type MarketDeployment = Readonly<z.infer<typeof marketSchema>>;

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
  return parsed(deploymentSchema, json);
}

/**
 * Reads the market's part of a deployment from parsed JSON, a whole deployment or only that part.
 * Throws DeploymentInvalidError with all problems at once.
 */
export function parseMarketDeployment(json: unknown): MarketDeployment {
  return parsed(marketSchema.strip(), json);
}

function parsed<Value>(schema: z.ZodType<Value>, json: unknown): Value {
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  throw new DeploymentInvalidError(
    result.error.issues.map(
      ({ path, message }) =>
        `${path.join('.') || '(root)'}: ${message.endsWith('received undefined') ? 'is missing' : message}`,
    ),
  );
}
