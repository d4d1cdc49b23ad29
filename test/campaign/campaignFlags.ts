/** Reads a flag of a campaign that is a whole number below a billion; ends the process with the fix otherwise. */
export function wholeNumberFlag(flag: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    process.stderr.write(`error: --${flag} must be a whole number below a billion, not '${text}'\n`);
    process.exit(2);
  }
  return Number(text);
}
