/** Why a lease ended, in the order of the contract's enum. */
export const LEASE_ENDS = [
  'None',
  'ByTenant',
  'ByProvider',
  'NotReady',
  'NoManifest',
  'NotConfirmed',
  'PaidThrough',
] as const;
export type LeaseEnd = (typeof LEASE_ENDS)[number];

/** Name of a member of the contract's enum. Throws RangeError for a number that is none. */
export function leaseEndOf(member: number): LeaseEnd {
  const end = LEASE_ENDS[member];
  if (end === undefined) throw new RangeError(`lease end ${member} does not exist`);
  return end;
}
