import { z } from 'zod';

/** A URL of one of the schemes named, "http or https" for example. */
export function urlSchema(...schemes: readonly string[]): z.ZodURL {
  return z.url({
    protocol: new RegExp(`^(${schemes.join('|')})$`),
    // A value that is missing keeps its own words.
    error: ({ code }) => (code === 'invalid_type' ? undefined : `must be a URL of ${schemes.join(' or ')}`),
  });
}
