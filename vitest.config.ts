import { defineConfig } from 'vitest/config';
import { ClosingSummary } from './tools/vitest.reporter.ts';
import projects from './vitest.workspace.ts';

export default defineConfig({
  test: {
    projects,
    reporters: ['default', new ClosingSummary()],
  },
});
