import type { Address } from 'viem';
import { marketAuthorityAbi } from '../../chain/contracts/generated/MarketAuthority.js';
import { readMarket } from '../calls/callMarket.js';
import { readLogs } from '../calls/readLogs.js';
import type { MarketClient } from '../marketClient.js';

/** A member of a role. */
export interface RoleMember {
  readonly account: Address;
  /** From when on it is a member, seconds since 1970. */
  readonly sinceSeconds: number;
  /** Between scheduling and executing a call. */
  readonly delaySeconds: number;
}

/** A role of the market with who holds it. */
export interface Role {
  readonly roleId: bigint;
  /** As the authority labels it; ADMIN is the governor's. */
  readonly name: string;
  readonly members: readonly RoleMember[];
}

/**
 * The roles of the market by their ids, with their members of now.
 * Throws the errors of `readMarket`.
 *
 * @example
 * const roles = await listRoles(client);
 */
export async function listRoles(client: MarketClient): Promise<readonly Role[]> {
  const authority = { address: client.contracts.accessManager, abi: marketAuthorityAbi } as const;
  const [labels, granted] = await Promise.all([
    readLogs(client, { ...authority, eventName: 'RoleLabel' }),
    readLogs(client, { ...authority, eventName: 'RoleGranted' }),
  ]);
  const names = new Map<bigint, string>([[0n, 'ADMIN']]);
  for (const { args } of labels) names.set(args.roleId, args.label);
  const accounts = new Map<bigint, Set<Address>>([...names.keys()].map((roleId) => [roleId, new Set()]));
  for (const { args } of granted) {
    const known = accounts.get(args.roleId) ?? new Set();
    accounts.set(args.roleId, known.add(args.account));
  }
  const roles = await Promise.all(
    [...accounts].map(async ([roleId, known]) => ({
      roleId,
      name: names.get(roleId) ?? `ROLE_${roleId}`,
      members: await readMembers(client, roleId, [...known]),
    })),
  );
  return roles.sort((a, b) => Number(a.roleId - b.roleId));
}

async function readMembers(client: MarketClient, roleId: bigint, accounts: readonly Address[]): Promise<RoleMember[]> {
  const members = await Promise.all(
    accounts.map(async (account) => {
      const [sinceSeconds, delaySeconds] = await readMarket(client, {
        address: client.contracts.accessManager,
        abi: marketAuthorityAbi,
        functionName: 'getAccess',
        args: [roleId, account],
      });
      return { account, sinceSeconds, delaySeconds };
    }),
  );
  // Whoever lost the role has no time since which it holds it.
  return members.filter(({ sinceSeconds }) => sinceSeconds > 0);
}
