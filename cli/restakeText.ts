/** A share with two decimals, rounded down. */
export function percentText(part: bigint, whole: bigint): string {
  if (whole === 0n) return '0.00 %';
  const bps = (part * 10_000n) / whole;
  return `${bps / 100n}.${String(bps % 100n).padStart(2, '0')} %`;
}

/** A length of time in its largest unit, with one decimal from minutes on. */
export function durationText(seconds: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3_600],
    ['min', 60],
  ] as const;
  const unit = units.find(([, length]) => seconds >= length);
  return unit === undefined ? `${Math.round(seconds)} s` : `${Math.round((seconds / unit[1]) * 10) / 10} ${unit[0]}`;
}
