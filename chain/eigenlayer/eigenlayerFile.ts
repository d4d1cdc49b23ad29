import type { Address } from 'viem';
import { z } from 'zod';
import { MatchmakerError } from '../../engine/error.js';
import { addressSchema } from '../addressSchema.js';

const present = addressSchema.nullish().transform((address): Address | null => address ?? null);

/** EigenLayer's contracts of a chain; null or absent: not deployed there. */
export const eigenlayerSchema = z.strictObject({
  allocationManager: present,
  delegationManager: present,
  strategyManager: present,
  strategyFactory: present,
  permissionController: present,
  rewardsCoordinator: present,
  keyRegistrar: present,
  crossChainRegistry: present,
  releaseManager: present,
  operatorTableUpdater: present,
  ecdsaCertificateVerifier: present,
  bn254CertificateVerifier: present,
});

/** EigenLayer's contracts, null where the chain has none. */
export type EigenlayerAddresses = Readonly<z.infer<typeof eigenlayerSchema>>;

/** A contract of EigenLayer by the name that files call it by. */
export type EigenlayerName = keyof EigenlayerAddresses;

/** Those that the operator set lives with, all on the stake chain. */
export const STAKE_CONTRACTS = [
  'allocationManager',
  'delegationManager',
  'strategyManager',
  'strategyFactory',
  'permissionController',
  'rewardsCoordinator',
  'keyRegistrar',
  'crossChainRegistry',
] as const satisfies readonly EigenlayerName[];

/** Those that bring operator tables to the market chain. */
export const TABLE_CONTRACTS = [
  'operatorTableUpdater',
  'ecdsaCertificateVerifier',
  'bn254CertificateVerifier',
] as const satisfies readonly EigenlayerName[];

/** A file of EigenLayer's addresses that is not one; `metadata.problems` lists every one with its path. */
export class EigenlayerFileError extends MatchmakerError<'EIGENLAYER_FILE'> {
  constructor(problems: readonly string[]) {
    super(
      'EIGENLAYER_FILE',
      `the file of EigenLayer's addresses is not one (a JSON object from contract names to addresses):\n${problems.map((line) => `  ${line}`).join('\n')}`,
      { metadata: { problems } },
    );
  }
}

/** The network has no such contract of EigenLayer. */
export class EigenlayerContractMissingError extends MatchmakerError<'EIGENLAYER_CONTRACT_MISSING'> {
  constructor(network: string, contracts: readonly string[], note: string | undefined) {
    super(
      'EIGENLAYER_CONTRACT_MISSING',
      `${network} has no ${contracts.join(', ')}: ${note ?? 'name the addresses with --eigenlayer FILE'}`,
      { metadata: { network, contracts } },
    );
  }
}

/**
 * Reads EigenLayer's addresses from parsed JSON; contracts may be left out. Unknown names are refused.
 * Throws EigenlayerFileError with all problems at once.
 */
export function parseEigenlayer(json: unknown): EigenlayerAddresses {
  const parsed = eigenlayerSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new EigenlayerFileError(
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || '(root)'}: ${message}`),
  );
}

/**
 * The addresses of those contracts. `source` says whose they are, for the error.
 * Throws EigenlayerContractMissingError that names every one that is missing.
 */
export function requireContracts<Name extends EigenlayerName>(
  addresses: EigenlayerAddresses,
  names: readonly Name[],
  source: { readonly name: string; readonly note?: string | undefined },
): Record<Name, Address> {
  const missing = names.filter((name) => addresses[name] === null);
  if (missing.length > 0) throw new EigenlayerContractMissingError(source.name, missing, source.note);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- none of the names is missing
  return Object.fromEntries(names.map((name) => [name, addresses[name]])) as Record<Name, Address>;
}
