/** Why a machine (or, for 1, any machine) cannot take an order: the first filter that fails, in the order of the rules. */
export const RejectionReason = {
  ORDER_NOT_ELIGIBLE: 1,
  MACHINE_INACTIVE: 2,
  PROVIDER_NOT_ACTIVE: 3,
  PROVIDER_EXCLUDED: 4,
  PROVIDER_NOT_WANTED: 5,
  TOKEN: 6,
  GPU_MODEL: 7,
  REGION_EXCLUDED: 8,
  REGION_REQUIRED: 9,
  TIER: 10,
  ATTRIBUTES: 11,
  UPTIME: 12,
  REPUTATION: 13,
  SLASHES: 14,
  CPU: 15,
  MEMORY: 16,
  STORAGE: 17,
  DEVICES: 18,
  PRICE: 19,
} as const;
export type RejectionReason = (typeof RejectionReason)[keyof typeof RejectionReason];

const namesByCode = new Map<number, string>(Object.entries(RejectionReason).map(([name, code]) => [code, name]));

/** Name of a reason code 1..19. Throws RangeError for any other number. */
export function rejectionName(reason: number): string {
  const name = namesByCode.get(reason);
  if (name === undefined) throw new RangeError(`rejection reason ${reason} does not exist: reasons are 1 to 19`);
  return name;
}
