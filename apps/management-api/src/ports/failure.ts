/**
 * What a failed call to a provider means for whoever made it. An error of a port says it as `failureClass`; the
 * workflows judge the others by their codes, and take what they do not know for `ambiguous`.
 */
export type FailureClass =
  /** Nothing was done, and the same call can succeed soon: a refused connection, a rate limit. */
  | 'transient'
  /** It may have been done: a time-out, a broken connection, an answer 5xx. Looked up by its marker before it is repeated. */
  | 'ambiguous'
  /** The same call never succeeds: a refused request, an image that cannot run. */
  | 'permanent'
  /** There is no room: a full disk, a quota, a region without machines. Somebody has to make room first. */
  | 'capacity'
  /** Somebody else changes the same thing now: a lease, a lock, a version that moved. */
  | 'conflict';
