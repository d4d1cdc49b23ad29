import manifest from '../package.json' with { type: 'json' };

/** Version of the package that this command was built from. */
export const VERSION: string = manifest.version;
