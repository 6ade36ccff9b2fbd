/** What is measured, in this order. */
export const steps = ['cold', 'no change', 'one file'] as const;

/** One build and push. */
export interface Measurement {
  readonly tool: string;
  readonly step: (typeof steps)[number];
  readonly seconds: number;
}

/** Medians in seconds, and in brackets what part of the time of each tool `oci` takes. */
export function reportTable(project: string, measurements: readonly Measurement[]): string {
  const tools = Array.from(new Set(measurements.map(({ tool }) => tool)));
  const cell = (tool: string, step: Measurement['step']): string => {
    const own = median(measurements, tool, step);
    const base = median(measurements, 'oci', step);
    if (own === undefined) return '–';
    const seconds = own.toFixed(2);
    return tool === 'oci' || base === undefined ? seconds : `${seconds} (${(base / own).toFixed(3)}×)`;
  };
  const rows = tools.map((tool) => `| ${tool} | ${steps.map((step) => cell(tool, step)).join(' | ')} |`);
  return [`| project ${project} | ${steps.join(' | ')} |`, '|---|---|---|---|', ...rows].join('\n');
}

function median(measurements: readonly Measurement[], tool: string, step: Measurement['step']): number | undefined {
  const sorted = measurements
    .filter((one) => one.tool === tool && one.step === step)
    .map(({ seconds }) => seconds)
    .sort((a, b) => a - b);
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]];
  return low === undefined || high === undefined ? undefined : (low + high) / 2;
}
