/** What a check found; whatever is not well comes with what to do about it. */
export type Finding =
  | { readonly status: 'ok'; readonly detail: string }
  /** There was nothing to check, or nothing to check it with. */
  | { readonly status: 'skipped'; readonly detail: string }
  /** True, but by the nature of this network, or not urgent. */
  | { readonly status: 'warning'; readonly detail: string; readonly fix: string }
  | { readonly status: 'failed'; readonly detail: string; readonly fix: string };

/** All is well. */
export function ok(detail: string): Finding {
  return { status: 'ok', detail };
}

/** There is nothing to check. */
export function skipped(detail: string): Finding {
  return { status: 'skipped', detail };
}

/** Something to know. */
export function warning(detail: string, fix: string): Finding {
  return { status: 'warning', detail, fix };
}

/** Something to repair. */
export function failed(detail: string, fix: string): Finding {
  return { status: 'failed', detail, fix };
}
