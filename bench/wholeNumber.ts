/** The whole number above zero that a flag was given. Throws RangeError that names the flag. */
export function wholeNumber(flag: string, text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value === 0) {
    throw new RangeError(`${flag}: "${text}" is no whole number above 0`);
  }
  return value;
}
