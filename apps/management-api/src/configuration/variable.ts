import type * as z from 'zod';

/** When a variable has to be there. */
export type Required =
  | 'always'
  /** When another variable has this value, or holds it in its list. */
  | { readonly name: string; readonly is: string };

/** One variable of the environment. */
export interface Variable {
  /** `SP_API_…`. */
  readonly name: string;
  /** What it looks like, for people: `URL`, `1 to 65535`. */
  readonly type: string;
  /** What it is when it is not set, as it would be written. */
  readonly default?: string | undefined;
  readonly required?: Required | undefined;
  /** Never printed; may come from a file that `<name>_FILE` names. @defaultValue false */
  readonly secret?: boolean | undefined;
  /** One sentence. */
  readonly description: string;
  /** Reads it. */
  readonly schema: z.ZodType<unknown, string>;
}

/** Something that is wrong with a variable. */
export interface ConfigurationFinding {
  /** The variable. */
  readonly name: string;
  /** What is wrong with it; never its value when it is a secret. */
  readonly problem: string;
}

/** A variable with the type of its value, and with what makes it certain to be there. */
export function variable<const Facts extends Variable>(facts: Facts): Facts {
  return facts;
}
