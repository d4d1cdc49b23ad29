import { z } from 'zod';
import { MatchmakerError } from '../../engine/error.js';

const MOST_BYTES = 500;
/** What EigenLayer's SDK lets through in names and descriptions. */
const TEXT = /^[a-zA-Z0-9 +.,;:?!'’"“”\-_/()[\]~&#$—%]+$/;

const text = z
  .string()
  .min(1, 'must not be empty')
  .refine((value) => new TextEncoder().encode(value).length <= MOST_BYTES, `must be at most ${MOST_BYTES} bytes`)
  .regex(TEXT, `may have letters, digits, spaces and +.,;:?!'’"“”-_/()[]~&#$—% only`);
const url = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });

const metadataSchema = z.strictObject({
  name: text,
  website: url.optional(),
  description: text,
  logo: url.refine((value) => new URL(value).pathname.endsWith('.png'), 'must be the URL of a .png'),
  twitter: url
    .refine((value) => /^(www\.)?(twitter|x)\.com$/.test(new URL(value).hostname), 'must be on twitter.com or x.com')
    .optional(),
  operatorSets: z
    .array(
      z.strictObject({
        name: text,
        id: z.string().regex(/^(0|[1-9]\d{0,9})$/, 'must be the id in decimal, as a string'),
        description: text,
        software: z.array(z.strictObject({ name: text, description: text, url })).min(1),
        slashingConditions: z.array(text).min(1),
      }),
    )
    .min(1),
});

/** What EigenLayer's app shows of an AVS, as the JSON behind its metadata URI. */
export type AvsMetadata = Readonly<z.infer<typeof metadataSchema>>;

/** Metadata that EigenLayer's app would not list; `metadata.problems` lists every fault with its path. */
export class AvsMetadataInvalidError extends MatchmakerError<'AVS_METADATA_INVALID'> {
  constructor(problems: readonly string[]) {
    super(
      'AVS_METADATA_INVALID',
      `the AVS metadata would not be listed:\n${problems.map((line) => `  ${line}`).join('\n')}`,
      { metadata: { problems } },
    );
  }
}

/**
 * Reads AVS metadata from parsed JSON by the checks of EigenLayer's SDK, for one operator set or all.
 * Throws AvsMetadataInvalidError with all problems at once.
 */
export function parseAvsMetadata(json: unknown): AvsMetadata {
  const parsed = metadataSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new AvsMetadataInvalidError(
    parsed.error.issues.map(({ path, message }) => `${path.join('.') || '(root)'}: ${message}`),
  );
}
