/** What is measured, in this order. */
export const steps = ['cold', 'no change', 'one file'] as const;

/** One build and push. */
export interface Measurement {
  readonly tool: string;
  readonly step: (typeof steps)[number];
  readonly seconds: number;
  /** Of processor time, in all processes that took part; `undefined` where the system does not say. */
  readonly processorSeconds: number | undefined;
}

/** Medians in seconds, and in brackets what part of the time of each tool `oci` takes: on the clock, and of the processors. */
export function reportTables(project: string, measurements: readonly Measurement[]): string {
  const clock = measurements.map(({ tool, step, seconds }) => ({ tool, step, value: seconds }));
  const processors = measurements.flatMap(({ tool, step, processorSeconds: value }) =>
    value === undefined ? [] : [{ tool, step, value }],
  );
  return [table(`project ${project}, seconds`, clock), table('seconds of processors', processors)].join('\n\n');
}

interface Figure {
  readonly tool: string;
  readonly step: Measurement['step'];
  readonly value: number;
}

function table(title: string, figures: readonly Figure[]): string {
  const tools = Array.from(new Set(figures.map(({ tool }) => tool)));
  const cell = (tool: string, step: Measurement['step']): string => {
    const theirs = median(figures, tool, step);
    const own = median(figures, 'oci', step);
    if (theirs === undefined) return '–';
    const text = theirs.toFixed(2);
    return tool === 'oci' || own === undefined ? text : `${text} (${(own / theirs).toFixed(3)}×)`;
  };
  const rows = tools.map((tool) => `| ${tool} | ${steps.map((step) => cell(tool, step)).join(' | ')} |`);
  return [`| ${title} | ${steps.join(' | ')} |`, '|---|---|---|---|', ...rows].join('\n');
}

function median(figures: readonly Figure[], tool: string, step: Measurement['step']): number | undefined {
  const sorted = figures
    .filter((one) => one.tool === tool && one.step === step)
    .map(({ value }) => value)
    .sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
